"""Forms of rows: how candles and trades are written as JSON, by the engine and by Python alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from ..core.blocks import Subject
from ..core.rows import Rows

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Form(Generic[R]):
    """Rows as JSON objects with these members, or as arrays of them; the first is the key.

    `fields` are by the store's names; `names` are those in the objects, where they are others.

    The engine writes those that are stored; `encode` writes one that is in memory to the same text.
    """

    fields: tuple[str, ...]
    encode: Callable[[R], str]
    is_array: bool = False
    names: tuple[str, ...] = ()

    def columns(self, expressions: Mapping[str, str]) -> str:
        """The columns of a statement, by the expression of each field."""
        named = zip(self.fields, self.names or self.fields, strict=True)
        return ", ".join(f"{expressions[field]} AS {name}" for field, name in named)

    def written(self, rows: Iterable[tuple[int, R]]) -> Rows:
        """Rows that are in memory, with their keys."""
        keyed = list(rows)
        return Rows([key for key, _ in keyed], [self.encode(row).encode() for _, row in keyed])

    @property
    def engine_format(self) -> str:
        """The engine's name of the format."""
        return "JSONCompactEachRow" if self.is_array else "JSONEachRow"

    def rows(self, body: bytes) -> Rows:
        """The rows that the engine has written, one a line: objects in an array of all of them."""
        if self.is_array:
            # No value of these rows has a comma in it.
            lines, start = body.replace(b", ", b",").splitlines(), len("[")
        else:
            lines = body[2:-3].split(b",\n") if len(body) > len(b"[\n\n]\n") else []
            start = len(f'{{"{(self.names or self.fields)[0]}":')
        return Rows([int(line[start : line.index(b",", start)]) for line in lines], lines)


def candles_of(symbol: str) -> Subject:
    """The candles of a symbol; the key of one is its time."""
    return Subject("candles", symbol)


def trades_of(symbol: str) -> Subject:
    """The trades of a symbol; the key of one is its id."""
    return Subject("trades", symbol)
