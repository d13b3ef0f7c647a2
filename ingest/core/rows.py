"""Rows as the JSON text that clients get, joined and sliced without a look into them."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence

SEPARATOR = b","
OVERHEAD_BYTES = 300
"""Of the objects that hold some rows, about."""


class Rows:
    """Texts of rows in the order of their keys, such as the times of candles or the ids of trades.

    They are one text with a separator between two rows, so that neighbouring ones are one slice.
    """

    __slots__ = ("_begin", "_ends", "keys", "text")

    def __init__(self, keys: Iterable[int] = (), texts: Sequence[bytes] = ()) -> None:
        """As many texts as keys, and the keys ascending."""
        self.keys = array("q", keys)
        """The key of each row."""
        self.text = SEPARATOR.join(texts)
        """The rows, a separator between each two."""
        self._begin = 0
        """Where the text begins in the one that it was cut from: a cut copies its ends as they
        are, for a history is many cuts, and thousands of clients ask for one at once."""
        end = -len(SEPARATOR)
        self._ends = array("q", (end := end + len(SEPARATOR) + len(text) for text in texts))

    def __len__(self) -> int:
        return len(self.keys)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rows) and (self.keys, self.text) == (other.keys, other.text)

    def __repr__(self) -> str:
        return f"Rows({list(self.keys)!r}, {self.text!r})"

    def __getitem__(self, span: slice) -> Rows:
        """Neighbouring rows by their numbers."""
        start, stop, _ = span.indices(len(self))
        if stop - start == len(self):
            return self
        part = Rows()
        if start < stop:
            begin = self._ends[start - 1] + len(SEPARATOR) if start else self._begin
            part.keys = self.keys[start:stop]
            part.text = self.text[begin - self._begin : self._ends[stop - 1] - self._begin]
            part._begin, part._ends = begin, self._ends[start:stop]
        return part

    def __add__(self, after: Rows) -> Rows:
        """These rows and those that follow them."""
        if not len(self) or not len(after):
            return self if len(self) else after
        whole = Rows()
        whole.keys = self.keys + after.keys
        whole.text = self.text + SEPARATOR + after.text
        further = self._begin + len(self.text) + len(SEPARATOR) - after._begin
        whole._begin = self._begin
        whole._ends = self._ends + array("q", (end + further for end in after._ends))
        return whole

    def between(self, first: int, end: int) -> Rows:
        """The rows with keys in [first, end)."""
        return self[bisect_left(self.keys, first) : bisect_left(self.keys, end)]

    @property
    def size(self) -> int:
        """The bytes of memory that they take, about."""
        return OVERHEAD_BYTES + len(self.text) + 2 * self.keys.itemsize * len(self)


def newest(parts: Sequence[Rows], count: int) -> list[Rows]:
    """The last `count` rows of these parts, which follow one another."""
    taken: list[Rows] = []
    for part in reversed(parts):
        if count <= 0:
            break
        if len(part):
            taken.append(part[-count:])
        count -= len(part)
    return taken[::-1]


def oldest(parts: Sequence[Rows], count: int) -> list[Rows]:
    """The first `count` rows of these parts, which follow one another."""
    taken: list[Rows] = []
    for part in parts:
        if count <= 0:
            break
        if len(part):
            taken.append(part[:count])
        count -= len(part)
    return taken


def array_of(parts: Iterable[bytes]) -> bytes:
    """A JSON array of rows, whose texts are given in parts; empty ones add nothing."""
    return b"[" + SEPARATOR.join(filter(None, parts)) + b"]"
