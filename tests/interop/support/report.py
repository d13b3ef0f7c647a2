"""Compares a client's rows with ours, and counts the values."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Final

from tests.interop.support import ours
from tests.interop.support.place import SYMBOL
from tests.interop.support.rows import MINUTE_MS, Row, Rows, interval, kline, minutes

SHOWN: Final = 3
"""How many differences a message shows."""
REST: Final = "REST"
STREAM: Final = "stream"


@dataclass
class Report:
    """What was compared, and how many values. It is the last line that a program prints."""

    distribution: str
    version: str = ""
    compared: dict[str, int] = field(default_factory=dict)

    def same(self, what: str, got: Rows, expected: Rows) -> None:
        """Compare rows, value by value: none may be missing, none too many."""
        lost, surplus = expected.keys() - got.keys(), got.keys() - expected.keys()
        assert got, f"{what}: the client has no rows"
        assert not lost, f"{what}: {len(lost)} of {len(expected)} are missing: {_some(lost)}"
        assert not surplus, f"{what}: {len(surplus)} too many: {_some(surplus)}"
        wrong = {key: (got[key], expected[key]) for key in got if got[key] != expected[key]}
        assert not wrong, f"{what}: {len(wrong)} of {len(got)} differ: {_some(wrong.items())}"
        self.add(what, sum(map(len, got.values())))

    def candles(self, way: str, symbol: str, width: int, got: Rows) -> None:
        """Compare closed candles of a number of minutes."""
        expected = ours.candles(symbol, width, got, _fields(got))
        self.same(f"{interval(width)} candles by {way}", got, expected)

    def open_candle(self, way: str, symbol: str, width: int, at: int, versions: Rows) -> None:
        """Compare versions of an open candle, by their number of trades."""
        end = at + width * MINUTE_MS - 1
        every = ours.folded(symbol, at, end, _fields(versions))
        expected = {count: every[count] for count in versions if count in every}
        self.same(f"open {interval(width)} candles by {way}", versions, expected)

    def trades(self, way: str, symbol: str, got: Rows) -> None:
        """Compare trades by their ids."""
        self.same(f"trades by {way}", got, ours.trades(symbol, got, _fields(got)))

    def trades_in_order(self, way: str, symbol: str, got: Sequence[Row]) -> None:
        """Compare trades that have no ids, but for those of the first and the last millisecond."""
        first, last = int(got[0][2]) + 1, int(got[-1][2]) - 1
        inside = dict(enumerate(each for each in got if first <= each[2] <= last))
        expected = ours.trades_between(symbol, first, last, len(got[0]))
        self.same(f"trades by {way}", inside, dict(enumerate(expected)))

    def klines(self, name: str, rows: list[list[Any]]) -> None:
        """Compare klines of twelve columns, of which the last is the open one."""
        closed = {int(each[0]): kline(each) for each in rows[:-1]}
        self.candles(REST, SYMBOL, minutes(name), closed)

    def add(self, what: str, values: int) -> None:
        """Count values that were compared."""
        self.compared[what] = self.compared.get(what, 0) + values

    def print(self) -> None:
        """Print the report for the runner."""
        found = self.version or version(self.distribution)
        sys.stdout.write(f"\n{json.dumps({'version': found, 'compared': self.compared})}\n")
        sys.stdout.flush()


def _fields(rows: Rows) -> int:
    assert rows, "the client has no rows"
    return len(next(iter(rows.values())))


def _some(found: Iterable[object]) -> list[object]:
    return sorted(found, key=str)[:SHOWN]
