"""Descriptions of the messages that pass, by which a connection tells what they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar
from uuid import uuid4

from .errors import Refused
from .payloads import MISSING, Path, is_same, lookup

T = TypeVar("T")
Ids = Literal["number", "text", "padded", "uuid"]
"""Forms of correlation ids: a count, as it is, as text or with leading zeros; or a random one."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message that the server sends."""

    name: str
    build: Callable[[Any], Any] = lambda payload: payload
    """Makes the message of its payload; raises ValueError when it is none."""
    constants: tuple[tuple[Path, tuple[object, ...]], ...] = ()
    """The values that it may have at some places, where they are present."""
    correlation: Path | None = None
    refusal: type[Refused[Any]] | None = None
    """What is raised for it, when it reports an error."""

    def read(self, payload: object) -> Any:
        """The message that a payload is, or MISSING."""
        for path, values in self.constants:
            found = lookup(payload, path)
            if found is not MISSING and not any(is_same(found, value) for value in values):
                return MISSING
        try:
            return self.build(payload)
        except (ValueError, RecursionError):
            return MISSING


@dataclass(frozen=True, slots=True)
class Outgoing(Generic[T]):
    """A message that the client sends, which is answered by T."""

    name: str
    replies: frozenset[str] = frozenset()
    refusals: frozenset[str] = frozenset()
    """Those of the replies that are raised."""
    correlation: Path | None = None
    ids: Ids | None = None
    """The form of its correlation ids; None where none can be made up."""

    def new_id(self, count: int) -> object:
        """A correlation id."""
        match self.ids:
            case "number":
                return count
            case "uuid":
                return str(uuid4())
            case "padded":
                return f"{count:016}"
        return str(count)
