# ruff: noqa: S608  # statements are put together from constants of this package alone
"""Trades that are stored with another time than they turn out to have: taken out before.

A trade has one time. With two it would count in both minutes, for rows replace each other within
a month only; and a minute that loses a trade would keep its candle, for of two candles the one
with more trades counts as the newer.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar, cast

import pyarrow as pa

from ..core.timeframe import bucket_start
from ..core.trade import Trade
from . import lines
from .candles import Candles
from .connection import Connection
from .held import Held

IDS_AT_ONCE = 500
"""Trades that one statement deletes."""

IDS_BETWEEN = 1000
"""So many ids at most lie between two that are looked up together."""

T = TypeVar("T")

Found = Mapping[str, Sequence[tuple[int, int]]]
"""The ids and times of stored trades, by symbol."""


class Moved:
    """Finds such trades and takes them out."""

    def __init__(self, connection: Connection, candles: Candles, held: Held) -> None:
        self._connection = connection
        self._candles = candles
        self._held = held
        self._noting = threading.Lock()
        self._newest: dict[str, int] = {}
        """An id of each symbol beyond which none is stored."""

    def among(self, batch: Mapping[str, Sequence[Trade]]) -> Found:
        """The trades that are stored with other times than in this batch, which will be stored."""
        found: dict[str, Sequence[tuple[int, int]]] = {}
        for symbol, trades in batch.items():
            newest = self.newest(symbol)
            times = {t.aggregate_id: t.timestamp for t in trades if t.aggregate_id <= newest}
            moved = [
                (id_, time)
                for run in _runs(sorted(times))
                for id_, time in self.stored(symbol, *run)
                if times.get(id_, time) != time
            ]
            if moved:
                found[symbol] = moved
            self.reach(symbol, max((trade.aggregate_id for trade in trades), default=newest))
        return found

    def among_lines(self, symbol: str, text: bytes, ids: tuple[int, int]) -> Found:
        """The same for lines of an archive whose lowest and highest ids are these."""
        if not self._any_stored(symbol, *ids):
            return {}
        with self._noting:
            self._note_moved(symbol, text, *ids)
            moved = self._noted(symbol)
            if moved:
                self._forget_noted(symbol)
        return {symbol: moved} if moved else {}

    def stored(self, symbol: str, first_id: int, last_id: int) -> Sequence[tuple[int, int]]:
        """The stored trades with ids from the first to the last."""
        return cast(
            "Sequence[tuple[int, int]]",
            self._connection.rows(
                "SELECT DISTINCT aggregate_id, timestamp FROM trades"
                " WHERE symbol = {symbol:String}"
                " AND aggregate_id >= {first:Int64} AND aggregate_id <= {last:Int64}",
                {"symbol": symbol, "first": first_id, "last": last_id},
            ),
        )

    def knows_newest(self, symbol: str) -> bool:
        """Whether `newest` needs no statement."""
        return symbol in self._newest

    def reach(self, symbol: str, aggregate_id: int) -> None:
        """A trade with this id is about to be stored."""
        self._newest[symbol] = max(self.newest(symbol), aggregate_id)

    def forget_newest(self, symbol: str) -> None:
        """Look up the newest id of a symbol again: any may have been stored."""
        self._newest.pop(symbol, None)

    def take_out(self, found: Found) -> None:
        """Delete these trades, and the candles that they are in.

        Their minutes have to be recomputed, and the trades to be stored anew. After a crash in
        between the candles come from what is left, and what is not stored anew is missing.
        """
        for symbol, moved in found.items():
            minutes = {bucket_start(time, 1) for time in times_of(found, symbol)}
            self._candles.forget_around(symbol, minutes)
            for some in _parts(moved):
                self._delete(symbol, some)

    def newest(self, symbol: str) -> int:
        """An id of a symbol beyond which none is stored; -1 when none is."""
        if symbol not in self._newest:
            is_stored = self._held.first(symbol) is not None
            self._newest[symbol] = self._highest_id(symbol) if is_stored else -1
        return self._newest[symbol]

    def _highest_id(self, symbol: str) -> int:
        """The highest id that is stored; -1 when none is."""
        rows = self._connection.rows(
            "SELECT aggregate_id FROM trades WHERE symbol = {symbol:String}"
            " ORDER BY aggregate_id DESC LIMIT 1",
            {"symbol": symbol},
        )
        return int(rows[0][0]) if rows else -1

    def _delete(self, symbol: str, some: Sequence[tuple[int, int]]) -> None:
        """Delete the trades that have these ids and times."""
        self._connection.command(
            f"DELETE FROM {self._connection.layout.changed('trades')}"
            " WHERE symbol = {symbol:String} AND has(arrayZip({ids:Array(Int64)},"
            " {times:Array(Int64)}), (aggregate_id, timestamp))",
            {
                "symbol": symbol,
                "ids": [id_ for id_, _ in some],
                "times": [time for _, time in some],
            },
        )

    def _note_moved(self, symbol: str, text: bytes, first_id: int, last_id: int) -> None:
        """Let the engine note in the table `moved` the stored trades that have another time in
        these lines."""
        lines.find_moved(self._connection, symbol, text, first_id, last_id)

    def _noted(self, symbol: str) -> Sequence[tuple[int, int]]:
        """The ids and times in the table `moved`."""
        return cast(
            "Sequence[tuple[int, int]]",
            self._connection.rows(
                "SELECT aggregate_id, timestamp FROM moved WHERE symbol = {symbol:String}",
                {"symbol": symbol},
            ),
        )

    def _forget_noted(self, symbol: str) -> None:
        """Empty the table `moved` of a symbol."""
        table = self._connection.layout.changed("moved")
        self._connection.command(
            f"DELETE FROM {table} WHERE symbol = {{symbol:String}}", {"symbol": symbol}
        )

    def _any_stored(self, symbol: str, first_id: int, last_id: int) -> bool:
        """Whether a trade with an id from the first to the last is stored."""
        rows = self._connection.rows(
            "SELECT 1 FROM trades WHERE symbol = {symbol:String}"
            " AND aggregate_id >= {first:Int64} AND aggregate_id <= {last:Int64} LIMIT 1",
            {"symbol": symbol, "first": first_id, "last": last_id},
        )
        return bool(rows)


def times_of(found: Found, symbol: str) -> list[int]:
    """The times at which a symbol loses trades."""
    return [time for _, time in found.get(symbol, ())]


def lowest_and_highest_id(text: bytes) -> tuple[int, int] | None:
    """The lowest and the highest id of lines of an archive, in any order; None when one cannot be
    read."""
    # Only a load from the archive needs these, 6 MB of memory.
    import pyarrow.compute as pc
    from pyarrow import csv

    try:
        table = csv.read_csv(
            pa.py_buffer(text),
            read_options=csv.ReadOptions(autogenerate_column_names=True),
            parse_options=csv.ParseOptions(quote_char=False),
            convert_options=csv.ConvertOptions(
                include_columns=["f0"], column_types={"f0": pa.int64()}, null_values=[]
            ),
        )
    except pa.ArrowInvalid:
        return None
    ends = pc.min_max(table["f0"]).as_py()
    return None if ends["min"] is None else (ends["min"], ends["max"])


def _runs(ids: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The first and last of ids in order that are close to one another."""
    start = 0
    for at in range(1, len(ids) + 1):
        if at == len(ids) or ids[at] - ids[at - 1] > IDS_BETWEEN:
            yield ids[start], ids[at - 1]
            start = at


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for at in range(0, len(items), IDS_AT_ONCE):
        yield items[at : at + IDS_AT_ONCE]
