"""The lines of a table of fields. Texts are Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One place in a value."""

    path: str
    """From the root: "subscriptions[].symbol", "[1].c"; "" is the value itself."""
    anchor: str
    """Different for each row of a table; mostly the path."""
    type: str
    """In words: "array of integers or null"."""
    required: bool = True
    title: str = ""
    limits: tuple[str, ...] = ()
    """Constraints, such as "at most 64 characters"."""
    constants: tuple[str, ...] = ()
    """The only values that it may have, as JSON."""
    patterns: tuple[str, ...] = ()
    """Regular expressions that it matches."""
    default: str = ""
    """As JSON."""
    examples: tuple[str, ...] = ()
    """As JSON."""
    description: str = ""
    deprecated: bool = False
    like: Row | None = None
    """The row of the same schema, below which its members are."""
    depth: int = 0
    """The number of headings that it is below."""

    @property
    def says(self) -> bool:
        """Whether it says more than its type."""
        return bool(
            self.limits or self.constants or self.patterns or self.default or self.examples
            or self.description or self.deprecated or self.like or self.title
        )  # fmt: skip


class Kind(Enum):
    """The kinds of headings."""

    CHOICE = "choice"
    ALTERNATIVE = "alternative"
    EXCLUDED = "excluded"
    CONDITION = "condition"
    END = "end"


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading in a table; the rows that are deeper belong to it."""

    kind: Kind
    text: str
    depth: int


Line = Row | Heading
