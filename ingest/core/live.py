"""The candles of one symbol that can still change, at every timeframe that somebody watches.

Minutes before the watermark are in the store; minutes from it on are here. A candle is the part
that the store has of its bucket, merged with the minutes here: so a trade is folded once,
whatever the number of timeframes, and a tick costs a merge or two for each watched timeframe.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from .candle import Candle, at, flat, merge, of_trades
from .cursor import Cursor
from .timeframe import MINUTE_MS, bucket_start, first_bucket, width_ms
from .trade import Trade


class Frame:
    """One watched timeframe: what the store has of the bucket that holds the watermark."""

    def __init__(self, timeframe: int) -> None:
        self.timeframe = timeframe
        self.width = width_ms(timeframe)
        self.bucket = 0
        """Start of the bucket that holds the watermark."""
        self.stored: Candle | None = None
        """The candle of that bucket's minutes before the watermark."""
        self.previous_close: int | None = None
        """The close before that bucket, for quiet candles."""
        self.cursors: list[Cursor] = []
        """Those of its consumers."""

    def rebase(self, watermark: int, stored: Candle | None, previous_close: int | None) -> None:
        """Start anew from what the store has up to the watermark."""
        self.bucket = bucket_start(watermark, self.timeframe)
        self.stored = stored
        self.previous_close = previous_close

    def walk(self, minutes: dict[int, Candle], now_ms: int, whole_from_ms: int) -> Iterator[Candle]:
        """Every candle from the watermark's bucket to the open one, quiet ones flat.

        Those that begin before `whole_from_ms` lack trades: they are passed over, and no quiet
        candle continues them.
        """
        by_bucket = self._by_bucket(minutes)
        close = self.previous_close
        first = max(self.bucket, first_bucket(whole_from_ms, self.timeframe))
        for start in range(first, bucket_start(now_ms, self.timeframe) + 1, self.width):
            candle = by_bucket.get(start)
            if candle is None:
                if close is None:
                    continue
                candle = flat(start, close)
            close = candle.close
            yield candle

    def advance(self, minutes: dict[int, Candle], watermark: int, whole_from_ms: int) -> None:
        """The store has taken over the minutes before `watermark`."""
        bucket = bucket_start(watermark, self.timeframe)
        taken = {start: candle for start, candle in minutes.items() if start < watermark}
        left: list[Candle] = []
        if bucket != self.bucket:
            left = list(self.walk(taken, bucket - 1, whole_from_ms))
        if left:
            self.previous_close = left[-1].close
        for cursor in self.cursors:
            cursor.leave(left, bucket)
        self.stored = self._by_bucket(taken).get(bucket)
        self.bucket = bucket

    @property
    def has_past(self) -> bool:
        """Whether a consumer was given candles of before."""
        return any(cursor.has_past for cursor in self.cursors)

    def give_past(self) -> None:
        """Every consumer is given what is before from now on."""
        for cursor in self.cursors:
            cursor.has_past = True

    def correct(self, candles: Sequence[Candle]) -> None:
        """Candles before the watermark have changed in the store."""
        for cursor in self.cursors:
            cursor.correct(candles)

    def due_from(self, changed_from: int) -> int:
        """The first candle that a consumer has to get again when the store has changed from
        `changed_from` on."""
        return min((cursor.due_from(changed_from) for cursor in self.cursors), default=changed_from)

    def _by_bucket(self, minutes: dict[int, Candle]) -> dict[int, Candle]:
        buckets: dict[int, Candle] = {}
        if self.stored is not None:
            buckets[self.bucket] = self.stored
        for minute, candle in minutes.items():
            start = minute // self.width * self.width
            known = buckets.get(start)
            buckets[start] = at(candle, start) if known is None else merge(known, candle, start)
        return buckets


class LiveCandles:
    """The minutes of one symbol from the watermark on, and the watched timeframes over them."""

    def __init__(self, watermark: int, whole_from_ms: int = 0) -> None:
        self.watermark = watermark
        """Start of the first minute, in milliseconds, that is not settled in the store."""
        self.whole_from_ms = whole_from_ms
        """Buckets that begin earlier lack trades that were never asked for: they are not shown."""
        self.frames: dict[int, Frame] = {}
        self.minutes: dict[int, Candle] = {}
        """The candles of the minutes from the watermark on, by their start."""
        self.newest_ms = watermark
        """Time of the newest trade that was folded."""

    def fold(self, trades: Iterable[Trade]) -> int | None:
        """Fold trades that were never folded before.

        Returns the earliest minute before the watermark that one of them falls into: that minute
        has to be recomputed in the store. None when there is none.
        """
        late: int | None = None
        newest = self.newest_ms
        by_minute: dict[int, list[Trade]] = {}
        group: list[Trade] = []
        start = end = 0
        for trade in trades:
            if trade.first_trade_id < 0:  # a tombstone
                continue
            time_ms = trade.timestamp
            if time_ms > newest:
                newest = time_ms
            if not start <= time_ms < end:  # another minute than that of the trade before it
                start = time_ms // MINUTE_MS * MINUTE_MS
                end = start + MINUTE_MS
                group = by_minute.setdefault(start, [])
            group.append(trade)
        self.newest_ms = newest
        for minute, group in by_minute.items():
            if minute < self.watermark:
                late = minute if late is None else min(late, minute)
                continue
            candle, known = of_trades(group, minute), self.minutes.get(minute)
            self.minutes[minute] = candle if known is None else merge(known, candle, minute)
        return late

    def watch(self, frame: Frame) -> None:
        """Keep a timeframe from now on; the frame starts from the store at the watermark."""
        self.frames[frame.timeframe] = frame

    def unwatch(self, timeframe: int) -> None:
        """Nobody watches this timeframe any more."""
        self.frames.pop(timeframe, None)

    def walk(self, timeframe: int, now_ms: int) -> list[Candle]:
        """The candles of a watched timeframe from the watermark's bucket to the open one."""
        return self.walk_frame(self.frames[timeframe], now_ms)

    def walk_frame(self, frame: Frame, now_ms: int) -> list[Candle]:
        """The same of a frame that nobody watches."""
        now_ms = max(now_ms, self.newest_ms)
        return list(frame.walk(self.minutes, now_ms, self.whole_from_ms))

    def advance(self, watermark: int) -> None:
        """The store has taken over the minutes before `watermark`."""
        for frame in self.frames.values():
            frame.advance(self.minutes, watermark, self.whole_from_ms)
        self.minutes = {m: candle for m, candle in self.minutes.items() if m >= watermark}
        self.watermark = watermark
