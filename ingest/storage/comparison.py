# ruff: noqa: S608  # statements are put together from constants of this package alone
"""The statements of an audit: the engine compares, and only what differs comes out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from ..core.timeframe import MINUTE_MS, width_ms
from . import fold
from .connection import Connection, Row
from .recompute import MINUTES

_MINUTES_OF_TRADES = (
    f"SELECT symbol, intDiv(timestamp, {MINUTE_MS}) * {MINUTE_MS} AS candle_time,{fold.OF_TRADES}"
    " FROM trades FINAL WHERE symbol = {symbol:String} AND first_trade_id >= 0"
    " AND timestamp >= {from:Int64} AND timestamp < {until:Int64} GROUP BY symbol, candle_time"
)
_BUCKETS = (
    f"SELECT intDiv(m.candle_time, {{width:Int64}}) * {{width:Int64}} AS candle_time,"
    f"{fold.OF_MINUTES} FROM (/* minutes */) AS m"
    " WHERE m.candle_time >= {from:Int64} AND m.candle_time < {until:Int64} GROUP BY candle_time"
)
_WRONG_MINUTES = f"""
SELECT symbol, candle_time FROM (
    SELECT symbol, candle_time, sipHash128({fold.FIGURES}) AS figures
    FROM minutes FINAL
    WHERE _partition_id = {{month:String}} AND symbol IN {{symbols:Array(String)}}
        AND candle_time >= transform(
            symbol, {{symbols:Array(String)}}, {{sinces:Array(Int64)}}, 0)
    UNION ALL
    SELECT symbol, candle_time, sipHash128({fold.FIGURES}) AS figures FROM (
        SELECT symbol, intDiv(timestamp, {MINUTE_MS}) * {MINUTE_MS} AS candle_time,{fold.OF_TRADES}
        FROM trades FINAL
        WHERE _partition_id = {{month:String}} AND symbol IN {{symbols:Array(String)}}
            AND first_trade_id >= 0
            AND timestamp < transform(symbol, {{symbols:Array(String)}}, {{untils:Array(Int64)}}, 0)
            AND timestamp >= transform(
                symbol, {{symbols:Array(String)}}, {{sinces:Array(Int64)}}, 0)
        GROUP BY symbol, candle_time
    )
)
GROUP BY symbol, candle_time HAVING count() != 2 OR min(figures) != max(figures)
"""
_WRONG_CANDLES = f"""
SELECT intDiv(width, {MINUTE_MS}), candle_time FROM (
    SELECT toInt64(timeframe) * {MINUTE_MS} AS width, candle_time,
        sipHash128({fold.FIGURES}) AS figures
    FROM candles FINAL
    WHERE symbol = {{symbol:String}} AND has({{widths:Array(Int64)}}, width)
        AND candle_time >= {{since:Int64}} AND candle_time + width <= {{until:Int64}}
    UNION ALL
    SELECT width, candle_time, sipHash128({fold.FIGURES}) AS figures FROM (
        SELECT bucket.1 AS width, bucket.2 AS candle_time,{fold.OF_MINUTES} FROM (
            SELECT minutes.*, arrayJoin(arrayMap(
                w -> (w, intDiv(candle_time, w) * w), {{widths:Array(Int64)}})) AS bucket
            FROM (/* minutes */) AS minutes
            WHERE bucket.2 >= {{since:Int64}} AND bucket.2 + bucket.1 <= {{until:Int64}}
        ) AS m
        GROUP BY width, candle_time
    )
)
GROUP BY width, candle_time HAVING count() != 2 OR min(figures) != max(figures)
"""
_SEVERAL_TIMES = """
SELECT symbol, aggregate_id, arraySort(groupUniqArray(timestamp)) FROM trades
WHERE symbol IN {symbols:Array(String)} AND symbol IN (
    SELECT symbol FROM (
        SELECT symbol, count() AS trades FROM trades FINAL
        WHERE symbol IN {symbols:Array(String)} GROUP BY symbol
        SETTINGS do_not_merge_across_partitions_select_final = 0
    ) AS merged INNER JOIN (
        SELECT symbol, count() AS trades FROM trades FINAL
        WHERE symbol IN {symbols:Array(String)} GROUP BY symbol
        SETTINGS do_not_merge_across_partitions_select_final = 1
    ) AS apart USING symbol WHERE merged.trades != apart.trades
)
GROUP BY symbol, aggregate_id HAVING uniqExact(timestamp) > 1
ORDER BY symbol, aggregate_id LIMIT 1000
"""
"""A trade has one time; in two months it would be counted twice."""

_TIME_AROUND = """
SELECT quantileExact(time), count() FROM (
    SELECT min(timestamp) AS time FROM trades WHERE symbol = {symbol:String}
        AND aggregate_id >= {first:Int64} AND aggregate_id <= {last:Int64}
    GROUP BY aggregate_id HAVING uniqExact(timestamp) = 1
)
"""
_OF_MINUTES = "SELECT * FROM minutes FINAL WHERE symbol = {symbol:String}"
_OF_CANDLES = (
    "SELECT * FROM candles FINAL WHERE symbol = {symbol:String} AND timeframe = {timeframe:UInt32}"
)

SeveralTimes = tuple[str, int, Sequence[int]]
"""Symbol and id of a trade, and its times in order."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The times, in milliseconds, between which the minutes of a symbol are compared."""

    since_ms: int
    until_ms: int


class Comparison:
    """Compares what is stored with what it is made of."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def symbols(self) -> list[str]:
        """The symbols that have trades or minutes, in order."""
        rows = self._connection.rows(
            "SELECT DISTINCT symbol FROM trades UNION DISTINCT SELECT DISTINCT symbol FROM minutes"
        )
        return sorted(symbol for (symbol,) in rows)

    def months(self) -> list[str]:
        """The months of which there are trades or minutes, in order."""
        rows = self._connection.rows(
            "SELECT DISTINCT _partition_id FROM trades"
            " UNION DISTINCT SELECT DISTINCT _partition_id FROM minutes"
        )
        return sorted(month for (month,) in rows)

    def several_times(self, symbols: Sequence[str]) -> Sequence[SeveralTimes]:
        """The first trades that are stored with several times, by symbol and id."""
        rows = self._connection.rows(_SEVERAL_TIMES, {"symbols": list(symbols)})
        return cast("Sequence[SeveralTimes]", rows)

    def time_among(self, symbol: str, first_id: int, last_id: int) -> int | None:
        """The median time of the trades with these ids that have one time each."""
        [[middle, count]] = self._connection.rows(
            _TIME_AROUND, {"symbol": symbol, "first": first_id, "last": last_id}
        )
        return int(middle) if count else None

    def wrong_minutes(self, month: str, bounds: Mapping[str, Bounds]) -> Sequence[tuple[str, int]]:
        """Symbol and start of the minutes of a month that are not what their trades come to."""
        rows = self._connection.rows(
            _WRONG_MINUTES,
            {
                "month": month,
                "symbols": list(bounds),
                "untils": [each.until_ms for each in bounds.values()],
                "sinces": [each.since_ms for each in bounds.values()],
            },
        )
        return cast("Sequence[tuple[str, int]]", rows)

    def wrong_candles(
        self, symbol: str, timeframes: Sequence[int], bounds: Bounds, *, of_trades: bool
    ) -> Sequence[tuple[int, int]]:
        """Timeframe and start of the candles that are not what their minutes come to: those
        stored, or those that the trades come to."""
        rows = self._connection.rows(
            _WRONG_CANDLES.replace("/* minutes */", _source(of_trades)),
            {
                "symbol": symbol,
                "widths": [width_ms(timeframe) for timeframe in timeframes],
                "since": bounds.since_ms,
                "until": bounds.until_ms,
                "from": 0,
            },
        )
        return cast("Sequence[tuple[int, int]]", rows)

    def stored(self, symbol: str, timeframe: int, times: Sequence[int]) -> dict[int, Row]:
        """The figures of the candles that are stored, by their time."""
        source = _OF_MINUTES if timeframe == MINUTES else _OF_CANDLES
        return self._figures(source, symbol, timeframe, times)

    def expected(
        self, symbol: str, timeframe: int, times: Sequence[int], *, of_trades: bool
    ) -> dict[int, Row]:
        """The figures that the minutes come to, those stored or those of the trades."""
        source = _BUCKETS.replace("/* minutes */", _source(of_trades))
        return self._figures(source, symbol, timeframe, times)

    def _figures(
        self, source: str, symbol: str, timeframe: int, times: Sequence[int]
    ) -> dict[int, Row]:
        rows = self._connection.rows(
            f"SELECT {fold.UNSCALED} FROM ({source}) WHERE candle_time IN {{times:Array(Int64)}}",
            {
                "symbol": symbol,
                "timeframe": timeframe,
                "width": width_ms(timeframe),
                "times": times,
                "from": min(times),
                "until": max(times) + width_ms(timeframe),
            },
        )
        return {row[0]: row[1:] for row in rows}


def _source(of_trades: bool) -> str:
    return _MINUTES_OF_TRADES if of_trades else _OF_MINUTES
