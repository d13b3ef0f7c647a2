"""Forms of rows: how candles and trades are written as JSON, by the engine and by Python alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ..core.blocks import Subject
from ..core.rows import Rows

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Form(Generic[R]):
    """Rows as JSON objects with these members, of which the first is the key.

    The engine writes those that are stored; `encode` writes one that is in memory to the same text.
    """

    fields: tuple[str, ...]
    encode: Callable[[R], str]

    def written(self, rows: Iterable[tuple[int, R]]) -> Rows:
        """Rows that are in memory, with their keys."""
        keyed = list(rows)
        return Rows([key for key, _ in keyed], [self.encode(row).encode() for _, row in keyed])

    def rows(self, body: bytes) -> Rows:
        """The rows of an array in which the engine has written one object a line."""
        lines = body[2:-3].split(b",\n") if len(body) > len(b"[\n\n]\n") else []
        start = len(f'{{"{self.fields[0]}":')
        return Rows([int(line[start : line.index(b",", start)]) for line in lines], lines)


def candles_of(symbol: str) -> Subject:
    """The candles of a symbol; the key of one is its time."""
    return Subject("candles", symbol)


def trades_of(symbol: str) -> Subject:
    """The trades of a symbol; the key of one is its id."""
    return Subject("trades", symbol)
