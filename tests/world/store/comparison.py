"""An audit of a modelled store: what its statements would find, in plain Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from ingest.core.candle import Candle
from ingest.core.timeframe import width_ms
from ingest.storage.comparison import Bounds, Comparison, SeveralTimes
from ingest.storage.connection import Row
from ingest.storage.recompute import MINUTES

from .connection import ModelConnection
from .disk import Disk
from .tables import CandleRows, month_of

SEVERAL_AT_ONCE = 1000


class ModelComparison(Comparison):
    """Compares what is on a disk."""

    _connection: ModelConnection

    def symbols(self) -> list[str]:
        """The symbols that have trades or minutes, in order."""
        disk = self._connection.reading()
        return sorted({*disk.symbols(), *(s for s, rows in disk.minutes.items() if rows.starts)})

    def months(self) -> list[str]:
        """The months of which there are trades or minutes, in order."""
        disk = self._connection.reading()
        times = {start for rows in disk.trades.values() for start in rows.minutes_from(0)}
        times |= {start for rows in disk.minutes.values() for start in rows.starts}
        return sorted({str(month_of(time)) for time in times})

    def several_times(self, symbols: Sequence[str]) -> Sequence[SeveralTimes]:
        """The first trades that are stored with several times."""
        disk = self._connection.reading()
        return [
            (symbol, id_, sorted(row.timestamp for row in disk.trades[symbol].rows(id_)))
            for symbol in sorted(symbols)
            for id_ in sorted(disk.trades[symbol].several)
        ][:SEVERAL_AT_ONCE]

    def time_among(self, symbol: str, first_id: int, last_id: int) -> int | None:
        """The median time of the trades with these ids that have one time each."""
        rows = self._connection.reading().trades[symbol]
        found = rows.from_id(first_id, last_id)
        times = sorted(t.timestamp for t in found if t.aggregate_id not in rows.several)
        return times[len(times) // 2] if times else None

    def wrong_minutes(self, month: str, bounds: Mapping[str, Bounds]) -> Sequence[tuple[str, int]]:
        """Symbol and start of the minutes of a month that are not what their trades come to."""
        disk = self._connection.reading()
        return [
            (symbol, time)
            for symbol, within in bounds.items()
            for time in _different(
                disk.minutes[symbol].between(within.since_ms),
                disk.trades[symbol].candles(within.since_ms, within.until_ms),
            )
            if str(month_of(time)) == month
        ]

    def wrong_candles(
        self, symbol: str, timeframes: Sequence[int], bounds: Bounds, *, of_trades: bool
    ) -> Sequence[tuple[int, int]]:
        """Timeframe and start of the candles that are not what their minutes come to."""
        disk = self._connection.reading()
        minutes = _minutes(disk, symbol, bounds.until_ms, of_trades=of_trades)
        wrong = []
        for timeframe in timeframes:
            width = width_ms(timeframe)
            first = -(-bounds.since_ms // width) * width
            until = bounds.until_ms // width * width
            stored = disk.candles[symbol, timeframe].between(first, until)
            expected = minutes.buckets(width, first, until)
            wrong += [(timeframe, time) for time in _different(stored, expected)]
        return wrong

    def stored(self, symbol: str, timeframe: int, times: Sequence[int]) -> dict[int, Row]:
        """The figures of the candles that are stored, by their time."""
        disk = self._connection.reading()
        rows = disk.minutes[symbol] if timeframe == MINUTES else disk.candles[symbol, timeframe]
        return _figures(filter(None, map(rows.get, times)))

    def expected(
        self, symbol: str, timeframe: int, times: Sequence[int], *, of_trades: bool
    ) -> dict[int, Row]:
        """The figures that the minutes come to, those stored or those of the trades."""
        disk, width = self._connection.reading(), width_ms(timeframe)
        minutes = _minutes(disk, symbol, max(times) + width, of_trades=of_trades)
        return _figures(
            candle for time in times for candle in minutes.buckets(width, time, time + width)
        )


def _minutes(disk: Disk, symbol: str, until_ms: int, *, of_trades: bool) -> CandleRows:
    """The minutes that are stored, or that the trades before a time come to."""
    if not of_trades:
        return disk.minutes[symbol]
    rows = CandleRows()
    for candle in disk.trades[symbol].candles(0, until_ms):
        rows.put(candle)
    return rows


def _different(stored: Iterable[Candle], expected: Iterable[Candle]) -> list[int]:
    """The times of candles that are not the same in both, in order."""
    is_, should_be = ({c.candle_time: c for c in candles} for candles in (stored, expected))
    return sorted(t for t in is_.keys() | should_be.keys() if is_.get(t) != should_be.get(t))


def _figures(candles: Iterable[Candle]) -> dict[int, Row]:
    return {candle.candle_time: msgspec.structs.astuple(candle)[1:] for candle in candles}
