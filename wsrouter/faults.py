"""What a client did wrong, or the server on its behalf, in words that no application owns.

The router makes a `Fault`; the application's error policy turns it into its own error message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

import jsonschema_rs

from . import pointer as jsonpointer
from .schemas import Validator

MAX_DETAILS = 10
"""Faults of one message that are told to its sender."""
MAX_EXAMINED_CHARS = 2048
"""Messages up to this length have all their faults told, longer ones the first."""
MAX_DETAIL_CHARS = 200
"""Longest text of one detail; more is cut."""


class FaultKind(StrEnum):
    """What kind of thing went wrong."""

    MALFORMED = "malformed"
    """Not JSON, or JSON too deep."""
    BINARY = "binary"
    """A binary message, where the document promises JSON text."""
    UNKNOWN_MESSAGE = "unknown_message"
    """JSON, but none of the messages of the document."""
    INVALID_MESSAGE = "invalid_message"
    """A known message that fails its schema."""
    WRONG_SERVER = "wrong_server"
    """A message that another server of the document admits."""
    REFUSED = "refused"
    """The handler raised Refusal."""
    HANDLER_FAILED = "handler_failed"
    """The handler raised, or answered with what its document does not say."""
    TIMEOUT = "timeout"
    """The handler took too long, or the application waited too long for the client."""
    TOO_FAST = "too_fast"
    """More messages per second than are allowed; the connection is then closed."""
    BROKEN = "broken"
    """Frames that break the protocol, or too long a message; the connection is then closed."""
    GOING_AWAY = "going_away"
    """The server ends; the connection is then closed."""


@dataclass(frozen=True, slots=True)
class Detail:
    """One thing that is wrong, and where."""

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


@dataclass(frozen=True, slots=True)
class Fault:
    """What went wrong, in the router's words."""

    kind: FaultKind
    text: str
    details: tuple[Detail, ...] = ()
    code: str | None = None
    """The application's code, from a Refusal."""
    message: str | None = None
    """The name of the message at fault, when it was recognised."""
    request: object = None
    """The decoded payload, when there was one."""
    servers: tuple[str, ...] = ()
    """The addresses of the servers that would have admitted the message."""


ErrorPolicy = Callable[[Fault], Mapping[str, object] | None]
"""The application's error message for a fault; None says nothing to the client. Pure."""


def schema_details(check: Validator, payload: object, size: int = 0) -> tuple[Detail, ...]:
    """What the schema finds wrong with a payload, bounded in number and length.

    `size` is that of the message in characters. The validator collects every fault before it
    gives the first, 10 us each, so of a large message only the first is looked for.
    """
    if size > MAX_EXAMINED_CHARS:
        try:
            check.validate(payload)
        except jsonschema_rs.ValidationError as error:
            return (_detail(error),)
        return ()
    return tuple(_detail(error) for error in islice(check.iter_errors(payload), MAX_DETAILS))


def _detail(error: jsonschema_rs.ValidationError) -> Detail:
    return Detail(
        path=jsonpointer.join(error.instance_path),
        message=cut(error.message),
        schema_path=jsonpointer.join(error.schema_path),
    )


def cut(text: str) -> str:
    """The text, at most MAX_DETAIL_CHARS long."""
    return text if len(text) <= MAX_DETAIL_CHARS else text[: MAX_DETAIL_CHARS - 1] + "…"


def bounded(details: Iterable[Detail]) -> tuple[Detail, ...]:
    """The first MAX_DETAILS of them."""
    return tuple(islice(details, MAX_DETAILS))
