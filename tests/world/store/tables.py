"""The trades of one symbol, and the candles of one timeframe, as the engine's tables keep them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache

from ingest.core.candle import Candle, at, of_trades
from ingest.core.keep import DAY_MS
from ingest.core.timeframe import MINUTE_MS
from ingest.core.trade import Trade

_LATE = 2**63
"""Later than any time, and higher than any id."""


@lru_cache(maxsize=4096)
def _month_of_day(day: int) -> int:
    date = datetime.fromtimestamp(day * DAY_MS // 1000, UTC)
    return date.year * 100 + date.month


def month_of(time_ms: int) -> int:
    """The partition of a time: 202311 is November 2023."""
    return _month_of_day(time_ms // DAY_MS)


class TradeRows:
    """Trades of one symbol: a row replaces one of the same id in the same month."""

    __slots__ = ("_minutes", "_rows", "_starts", "ids", "several")

    def __init__(self) -> None:
        self._rows: dict[int, tuple[Trade, ...]] = {}
        """By id: one row, or one for each of several months."""
        self.ids: list[int] = []
        """The ids in order."""
        self.several: set[int] = set()
        """Ids with several rows."""
        self._minutes: dict[int, dict[int, Trade]] = {}
        """The trades of each minute by id."""
        self._starts: list[int] = []
        """The starts of the minutes in order."""

    def put(self, trade: Trade) -> None:
        """Store a trade."""
        id_ = trade.aggregate_id
        known = self._rows.get(id_)
        if known is None:
            self._rows[id_] = (trade,)
            _add(self.ids, id_)
        else:
            month = month_of(trade.timestamp)
            kept = tuple(row for row in known if month_of(row.timestamp) != month)
            for row in known:
                if row not in kept:
                    self._leave_minute(row)
            self._rows[id_] = (*kept, trade)
            (self.several.add if kept else self.several.discard)(id_)
        start = trade.timestamp // MINUTE_MS * MINUTE_MS
        minute = self._minutes.get(start)
        if minute is None:
            minute = self._minutes[start] = {}
            _add(self._starts, start)
        minute[id_] = trade

    def remove(self, id_: int, time_ms: int) -> None:
        """Delete the row with this id and time, if there is one."""
        known = self._rows.get(id_, ())
        kept = tuple(row for row in known if row.timestamp != time_ms)
        for row in known:
            if row.timestamp == time_ms:
                self._leave_minute(row)
        if kept:
            self._rows[id_] = kept
        elif known:
            del self._rows[id_]
            del self.ids[bisect_left(self.ids, id_)]
        if len(kept) < 2:
            self.several.discard(id_)

    def _leave_minute(self, trade: Trade) -> None:
        start = trade.timestamp // MINUTE_MS * MINUTE_MS
        minute = self._minutes[start]
        del minute[trade.aggregate_id]
        if not minute:
            del self._minutes[start]
            del self._starts[bisect_left(self._starts, start)]

    def rows(self, id_: int) -> tuple[Trade, ...]:
        """The rows of an id."""
        return self._rows.get(id_, ())

    def ids_from(self, first: int, last: int = _LATE) -> list[int]:
        """The stored ids from the first to the last, in order."""
        return self.ids[bisect_left(self.ids, first) : bisect_right(self.ids, last)]

    def from_id(self, first: int, last: int = _LATE) -> Iterator[Trade]:
        """The rows with ids from the first to the last, in the order of ids."""
        for at_ in range(bisect_left(self.ids, first), bisect_right(self.ids, last)):
            yield from self._rows[self.ids[at_]]

    def backwards(self) -> Iterator[Trade]:
        """All rows, those of the highest id first."""
        for id_ in reversed(self.ids):
            yield from self._rows[id_]

    def count(self, first: int, last: int = _LATE) -> int:
        """How many rows have ids from the first to the last."""
        count = bisect_right(self.ids, last) - bisect_left(self.ids, first)
        more = (len(self._rows[id_]) - 1 for id_ in self.several if first <= id_ <= last)
        return count + sum(more) if self.several else count

    def minutes_from(self, since_ms: int) -> list[int]:
        """The starts of the minutes that have trades from a time on, in order."""
        first = since_ms // MINUTE_MS * MINUTE_MS
        starts = self._starts[bisect_left(self._starts, first) :]
        if starts and starts[0] < since_ms and self._newest_in(starts[0]) < since_ms:
            del starts[0]
        return starts

    def between(self, since_ms: int, until_ms: int = _LATE) -> Iterator[Trade]:
        """The trades with times in [since, until), by minute."""
        first = since_ms // MINUTE_MS * MINUTE_MS
        starts = self._starts
        for at_ in range(bisect_left(starts, first), bisect_left(starts, until_ms)):
            start = starts[at_]
            minute = self._minutes[start].values()
            if since_ms <= start and start + MINUTE_MS <= until_ms:
                yield from minute
            else:
                yield from (trade for trade in minute if since_ms <= trade.timestamp < until_ms)

    def candles(self, since_ms: int, until_ms: int) -> Iterator[Candle]:
        """The minutes that the trades with times in [since, until) come to, in order."""
        starts = self._starts
        first = since_ms // MINUTE_MS * MINUTE_MS
        for at_ in range(bisect_left(starts, first), bisect_left(starts, until_ms)):
            start = starts[at_]
            trades = [t for t in self._minutes[start].values() if t.first_trade_id >= 0]
            if since_ms > start or start + MINUTE_MS > until_ms:
                trades = [t for t in trades if since_ms <= t.timestamp < until_ms]
            if trades:
                yield of_trades(trades, start)

    def newest_ms(self) -> int:
        """The newest time of at least one trade."""
        return self._newest_in(self._starts[-1])

    def _newest_in(self, start: int) -> int:
        return max(trade.timestamp for trade in self._minutes[start].values())


class CandleRows:
    """Candles of one timeframe: of two for the same time the one of more trades counts."""

    __slots__ = ("_rows", "starts")

    def __init__(self) -> None:
        self._rows: dict[int, Candle] = {}
        self.starts: list[int] = []
        """The times in order."""

    def put(self, candle: Candle) -> None:
        """Store a candle; of two with as many trades the newer counts."""
        start = candle.candle_time
        known = self._rows.get(start)
        if known is None:
            _add(self.starts, start)
        elif known.aggregates > candle.aggregates:
            return
        self._rows[start] = candle

    def remove(self, starts: Iterable[int]) -> None:
        """Delete the candles of these times."""
        for start in starts:
            if self._rows.pop(start, None) is not None:
                del self.starts[bisect_left(self.starts, start)]

    def get(self, start: int) -> Candle | None:
        """The candle of a time."""
        return self._rows.get(start)

    def between(self, start: int, end: int = _LATE) -> list[Candle]:
        """The candles in [start, end), in order."""
        starts, rows = self.starts, self._rows
        return [rows[t] for t in starts[bisect_left(starts, start) : bisect_left(starts, end)]]

    def buckets(self, width: int, start: int, end: int) -> list[Candle]:
        """The buckets of a width that the candles in [start, end) come to, in order."""
        parts: dict[int, list[Candle]] = {}
        for candle in self.between(start, end):
            parts.setdefault(candle.candle_time // width * width, []).append(candle)
        return [folded(some, time) for time, some in parts.items()]

    def last(self, since: int, until: int) -> Candle | None:
        """The newest candle from `since` to `until`, both included."""
        number = bisect_right(self.starts, until)
        if number and self.starts[number - 1] >= since:
            return self._rows[self.starts[number - 1]]
        return None

    def first(self, since: int) -> int | None:
        """The time of the first candle from `since` on."""
        number = bisect_left(self.starts, since)
        return self.starts[number] if number < len(self.starts) else None


def folded(parts: list[Candle], candle_time: int) -> Candle:
    """The candle of at least one part, each of other trades."""
    first = last = parts[0]
    if len(parts) == 1:
        return first if first.candle_time == candle_time else at(first, candle_time)
    high, low = first.high, first.low
    volume = quote = count = bought = bought_quote = aggregates = 0
    for part in parts:
        if part.first_id < first.first_id:
            first = part
        if part.last_id > last.last_id:
            last = part
        if part.high > high:
            high = part.high
        if part.low < low:
            low = part.low
        volume += part.volume
        quote += part.quote_volume
        count += part.trades_count
        bought += part.taker_buy_volume
        bought_quote += part.taker_buy_quote_volume
        aggregates += part.aggregates
    sums = (volume, quote, count, bought, bought_quote)
    ids = (first.first_id, last.last_id, first.first_raw_id, last.last_raw_id)
    return Candle(candle_time, first.open, high, low, last.close, *sums, *ids, aggregates)


def _add(values: list[int], value: int) -> None:
    """Put a value where it belongs; mostly that is the end."""
    if not values or value > values[-1]:
        values.append(value)
    else:
        insort(values, value)
