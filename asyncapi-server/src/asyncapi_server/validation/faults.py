"""The faults that a schema finds in a value, whichever engine finds them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

Path = tuple[str | int, ...]


class CannotValidate(ValueError):
    """A schema that may be valid, and that no value can be held to here."""


@dataclass(frozen=True, slots=True)
class SchemaFault:
    """One fault of a value."""

    path: Path
    """Its place in the value."""
    schema_path: Path
    """The place of the keyword that failed; that of a definition begins with `definitions`."""
    text: str
    missing: str | None = None
    """The property that is missing, where that is the fault."""
    alternatives: tuple[tuple[SchemaFault, ...], ...] = ()
    """The faults by each alternative of an `anyOf` or `oneOf` of which none holds."""


class Validator(Protocol):
    """A compiled schema."""

    @property
    def is_valid(self) -> Callable[[object], bool]:
        """Whether a value meets the schema."""

    def first(self, value: object) -> SchemaFault | None:
        """One fault of a value; None when it has none."""

    def faults(self, value: object) -> Iterator[SchemaFault]:
        """Every fault of a value."""
