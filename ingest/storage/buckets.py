# ruff: noqa: S608  # statements are put together from constants of this package alone
"""The tables `minutes` and `candles`: their statements, which read and write buckets with trades.

Candles of one minute are the minutes themselves. A bucket of any other timeframe is made of the
minutes, or of the rows of a timeframe that divides it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from ..core.candle import Candle
from ..core.timeframe import MINUTE_MS, width_ms
from . import fold
from .connection import Connection, Parameters
from .recompute import MINUTES, Frames, Terms, write_buckets, write_minutes

Pair = tuple[str, int]
"""A symbol and a timeframe in minutes."""


class Origin(NamedTuple):
    """The rows that buckets are read from: those of a timeframe, then the minutes."""

    timeframe: int
    """Divides the timeframe of the buckets, or is the same."""
    until_ms: int
    """The end of its last bucket that is written; a start of one of its buckets."""


class Buckets:
    """The statements of one connection; times in milliseconds are starts of buckets or minutes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # Reading -------------------------------------------------------------------------------------

    def source(
        self, symbol: str, timeframe: int, start: int, end: int, origin: Origin
    ) -> tuple[str, Parameters]:
        """A statement, and its values, that gives the buckets with trades in [start, end), in any
        order."""
        split = max(start, min(end, origin.until_ms))
        parameters: dict[str, object] = {
            "symbol": symbol,
            "timeframe": origin.timeframe,
            "width": width_ms(timeframe),
            "from": start,
            "until": split,
            "start": split,
            "end": end,
        }
        if timeframe == MINUTES or split == start:
            rows = _MINUTES if timeframe == MINUTES else fold.by_bucket(_MINUTES)
            return rows, parameters | {"start": start}
        if timeframe == origin.timeframe:
            if split == end:
                return _CANDLES, parameters
            return f"{_CANDLES} UNION ALL {fold.by_bucket(_MINUTES)}", parameters
        rows = _CANDLES if split == end else f"{_CANDLES} UNION ALL {_MINUTES}"
        return fold.by_bucket(rows), parameters

    def traded(
        self, symbol: str, timeframe: int, start: int, end: int, origin: Origin
    ) -> list[Candle]:
        """The buckets with trades in [start, end), in order."""
        sql, parameters = self.source(symbol, timeframe, start, end, origin)
        rows = self._connection.rows(
            f"SELECT {fold.UNSCALED} FROM ({sql}) ORDER BY candle_time", parameters
        )
        return [Candle(*row) for row in rows]

    def parts(
        self, symbol: str, since: Mapping[int, int], until: int
    ) -> dict[tuple[int, int], Candle]:
        """The buckets of the minutes before a time, by timeframe and start.

        `since` has the timeframes, and the start of the first bucket of each; the last one may be
        a part.
        """
        start = min(since.values(), default=until)
        if start >= until:
            return {}
        rows = self._connection.rows(
            _PARTS,
            {
                "symbol": symbol,
                "start": start,
                "end": until,
                "widths": list(map(width_ms, since)),
                "sinces": list(since.values()),
            },
        )
        return {(row[0], row[1]): Candle(*row[1:]) for row in rows}

    def totals(self, since: Mapping[str, int]) -> dict[str, Candle]:
        """The minutes of some symbols, each from a time on, as one candle a symbol."""
        if not since:
            return {}
        rows = self._connection.rows(
            _TOTALS,
            {
                "symbols": list(since),
                "sinces": list(since.values()),
                "start": min(since.values()),
            },
        )
        return {row[0]: Candle(*row[1:]) for row in rows}

    def last_minute(self, symbol: str, since: int, last: int) -> tuple[int, int] | None:
        """Start and close of the last minute that starts from `since` to `last`."""
        # Without FINAL a minute may have several rows: the one with the most trades is the newest.
        rows = self._connection.rows(
            "SELECT candle_time, toInt64(reinterpret(close, 'Int128')) FROM minutes"
            " WHERE symbol = {symbol:String}"
            " AND candle_time >= {since:Int64} AND candle_time <= {last:Int64}"
            " ORDER BY candle_time DESC, aggregates DESC LIMIT 1",
            {"symbol": symbol, "since": since, "last": last},
        )
        return (int(rows[0][0]), int(rows[0][1])) if rows else None

    def first_minute(self, symbol: str, since: int) -> int | None:
        """The start of the first minute from a time on; None when there is none."""
        rows = self._connection.rows(
            "SELECT candle_time FROM minutes WHERE symbol = {symbol:String}"
            " AND candle_time >= {since:Int64} ORDER BY candle_time LIMIT 1",
            {"symbol": symbol, "since": since},
        )
        return int(rows[0][0]) if rows else None

    def watermark(self, symbol: str) -> int | None:
        """The start of the last minute stored; None when there is none."""
        rows = self._connection.rows(
            "SELECT candle_time FROM minutes WHERE symbol = {symbol:String}"
            " ORDER BY candle_time DESC LIMIT 1",
            {"symbol": symbol},
        )
        return int(rows[0][0]) if rows else None

    def with_rows(self, pairs: Collection[Pair]) -> frozenset[Pair]:
        """Those of some pairs that have rows in `candles`."""
        if not pairs:
            return frozenset()
        rows = self._connection.rows(
            f"SELECT symbol, timeframe FROM candles WHERE {_AMONG_PAIRS}"
            " GROUP BY symbol, timeframe",
            _columns(pairs),
        )
        return frozenset((row[0], row[1]) for row in rows)

    # Writing -------------------------------------------------------------------------------------

    def write_minutes(self, terms: Terms) -> None:
        """Write the minutes in these spans anew from the trades."""
        write_minutes(self._connection, terms)

    def write(self, terms: Terms, frames: Frames) -> None:
        """Write the buckets of these frames anew from the minutes."""
        write_buckets(self._connection, terms, frames)

    def fill(self, symbol: str, timeframe: int, start: int, end: int, origin: Origin) -> None:
        """Write all buckets in [start, end)."""
        sql, parameters = self.source(symbol, timeframe, start, end, origin)
        self._connection.command(
            "INSERT INTO candles SELECT {symbol:String}, {filled:UInt32}, "
            f"candle_time, {fold.FIGURES} FROM ({sql})",
            {**parameters, "filled": timeframe},
        )

    def forget(self, symbol: str, timeframe: int, times: Sequence[int]) -> None:
        """Delete the candles that begin at these times."""
        is_minutes = timeframe == MINUTES
        table = self._connection.layout.changed("minutes" if is_minutes else "candles")
        condition = "" if is_minutes else " AND timeframe = {timeframe:UInt32}"
        self._connection.command(
            f"DELETE FROM {table} WHERE symbol = {{symbol:String}}{condition}"
            " AND candle_time IN {times:Array(Int64)}",
            {"symbol": symbol, "timeframe": timeframe, "times": times},
        )

    def delete(self, pairs: Collection[Pair]) -> None:
        """Delete all rows of these pairs in `candles`."""
        self._connection.command(
            f"DELETE FROM {self._connection.layout.changed('candles')} WHERE {_AMONG_PAIRS}",
            _columns(pairs),
        )


_MINUTES = (
    f"SELECT candle_time, {fold.FIGURES} FROM minutes FINAL WHERE symbol = {{symbol:String}}"
    " AND candle_time >= {start:Int64} AND candle_time < {end:Int64}"
)
_CANDLES = (
    f"SELECT candle_time, {fold.FIGURES} FROM candles FINAL "
    "WHERE symbol = {symbol:String} AND timeframe = {timeframe:UInt32} "
    "AND candle_time >= {from:Int64} AND candle_time < {until:Int64}"
)
_PARTS = f"""
SELECT intDiv(bucket.1, {MINUTE_MS}), {fold.UNSCALED} FROM (
    SELECT bucket, bucket.2 AS candle_time, {fold.OF_MINUTES}
    FROM (
        SELECT minutes.*, arrayJoin(arrayMap(
            s -> (s.1, intDiv(candle_time, s.1) * s.1),
            arrayFilter(s -> candle_time >= s.2,
                arrayZip({{widths:Array(Int64)}}, {{sinces:Array(Int64)}})))) AS bucket
        FROM (
            SELECT * FROM minutes FINAL WHERE symbol = {{symbol:String}}
                AND candle_time >= {{start:Int64}} AND candle_time < {{end:Int64}}
        ) AS minutes
    ) AS m
    GROUP BY bucket
)
"""
"""Each minute goes to its bucket of every timeframe that begins so early."""

_TOTALS = f"""
SELECT symbol, {fold.UNSCALED} FROM (
    SELECT m.symbol AS symbol, any(m.since) AS candle_time, {fold.OF_MINUTES}
    FROM (
        SELECT *, transform(symbol, {{symbols:Array(String)}}, {{sinces:Array(Int64)}}, 0) AS since
        FROM minutes FINAL
        WHERE symbol IN {{symbols:Array(String)}} AND candle_time >= {{start:Int64}}
    ) AS m
    WHERE m.candle_time >= m.since
    GROUP BY symbol
)
"""

_AMONG_PAIRS = (
    "symbol IN {symbols:Array(String)} AND has("
    "arrayZip({symbols:Array(String)}, {timeframes:Array(UInt32)}), (symbol, timeframe))"
)
"""A condition: the pair is one of those that `_columns` gives."""


def _columns(pairs: Iterable[Pair]) -> dict[str, list[object]]:
    """Pairs as the parameters of a statement."""
    columns: dict[str, list[object]] = {"symbols": [], "timeframes": []}
    for symbol, timeframe in pairs:
        columns["symbols"].append(symbol)
        columns["timeframes"].append(timeframe)
    return columns
