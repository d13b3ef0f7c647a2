"""Schema faults of a value, bounded in number and length."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from asyncapi_server import pointer as jsonpointer
from asyncapi_server.validation import SchemaFault, Validator

MAX_DETAILS = 10
"""Faults of one message that are reported to its sender."""
MAX_EXAMINED_CHARS = 2048
"""Messages up to this length have all their faults reported, longer ones the first."""
MAX_DETAIL_CHARS = 200
"""Longest text of one detail; more is cut."""


@dataclass(frozen=True, slots=True)
class Detail:
    """One fault, with its place."""

    path: str
    """JSON pointer in the message."""
    message: str
    schema_path: str = ""
    """JSON pointer in the message's schema; its last token is the failing keyword."""

    @property
    def keyword(self) -> str:
        """The schema's keyword that failed: "minimum"."""
        return self.schema_path.rpartition("/")[2]

    def as_dict(self) -> dict[str, str]:
        return {"path": self.path, "message": self.message, "schema_path": self.schema_path}


def schema_details(check: Validator, payload: object, size: int = 0) -> tuple[Detail, ...]:
    """The faults that a schema finds in a payload, bounded in number and length.

    `size` is the length of the message in characters. The validator collects every fault before
    it yields the first, 10 us each, so a large message is validated only up to its first fault.
    """
    if size > MAX_EXAMINED_CHARS:
        first = check.first(payload)
        return () if first is None else (_detail(first),)
    return tuple(_detail(fault) for fault in islice(check.faults(payload), MAX_DETAILS))


def _detail(fault: SchemaFault) -> Detail:
    return Detail(
        path=jsonpointer.join(fault.path),
        message=cut(fault.text),
        schema_path=jsonpointer.join(fault.schema_path),
    )


def cut(text: str) -> str:
    """The text, at most MAX_DETAIL_CHARS long."""
    return text if len(text) <= MAX_DETAIL_CHARS else text[: MAX_DETAIL_CHARS - 1] + "…"


def bounded(details: Iterable[Detail]) -> tuple[Detail, ...]:
    """The first MAX_DETAILS of them."""
    return tuple(islice(details, MAX_DETAILS))
