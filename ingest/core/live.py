"""The candles of one symbol that can still change, at every timeframe that somebody watches.

Minutes before the watermark are in the store; minutes from it on are here. A candle is the part
that the store has of its bucket, merged with the minutes here: so a trade is folded once,
whatever the number of timeframes, and a tick costs a merge or two for each watched timeframe.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .candle import Candle, at, flat, merge, of_trades
from .timeframe import MINUTE_MS, bucket_start, width_ms
from .trade import Trade

MAX_CATCH_UP_CANDLES = 1000
"""After a jump of the clock over more candles than this, only the newest are told of."""


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
        self._shown: dict[int, Candle] = {}
        self._unsent: list[Candle] = []

    def rebase(self, watermark: int, stored: Candle | None, previous_close: int | None) -> None:
        """Start anew from what the store has up to the watermark."""
        self.bucket = bucket_start(watermark, self.timeframe)
        self.stored = stored
        self.previous_close = previous_close

    def walk(self, minutes: dict[int, Candle], now_ms: int) -> Iterator[Candle]:
        """Every candle from the watermark's bucket to the open one, quiet ones flat."""
        by_bucket = self._by_bucket(minutes)
        close = self.previous_close
        for start in range(self.bucket, bucket_start(now_ms, self.timeframe) + 1, self.width):
            candle = by_bucket.get(start)
            if candle is None:
                if close is None:
                    continue
                candle = flat(start, close)
            close = candle.close
            yield candle

    def tick(self, minutes: dict[int, Candle], now_ms: int) -> list[Candle]:
        """Each candle that changed since the last tick, oldest first, and always the open one."""
        told, self._unsent = self._unsent, []
        candle: Candle | None = None
        for candle in self.walk(minutes, now_ms):
            if self._shown.get(candle.candle_time) != candle:
                self._shown[candle.candle_time] = candle
                told.append(candle)
        if candle is not None and (not told or told[-1].candle_time != candle.candle_time):
            told.append(candle)
        return told[-MAX_CATCH_UP_CANDLES:]

    def advance(self, minutes: dict[int, Candle], watermark: int) -> None:
        """The store has taken over the minutes before `watermark`."""
        bucket = bucket_start(watermark, self.timeframe)
        taken = {start: candle for start, candle in minutes.items() if start < watermark}
        if bucket != self.bucket:
            for candle in self.walk(taken, bucket - 1):
                if self._shown.get(candle.candle_time) != candle:
                    self._unsent.append(candle)
                self.previous_close = candle.close
            del self._unsent[:-MAX_CATCH_UP_CANDLES]
        self.stored = self._by_bucket(taken).get(bucket)
        self.bucket = bucket
        self._shown = {start: shown for start, shown in self._shown.items() if start >= bucket}

    def correct(self, candles: Iterable[Candle]) -> None:
        """Tell again, at the next tick, of candles before the watermark that have changed."""
        self._unsent = list(candles)[-MAX_CATCH_UP_CANDLES:]

    def told_in_doubt(self, changed_from: int) -> int:
        """The first candle to tell again when the store has changed from `changed_from` on."""
        return min([changed_from, *(candle.candle_time for candle in self._unsent)])

    def mark_shown(self, candles: Iterable[Candle]) -> None:
        """These candles have been told already."""
        self._shown.update((candle.candle_time, candle) for candle in candles)

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

    def __init__(self, watermark: int) -> None:
        self.watermark = watermark
        """Start of the first minute, in milliseconds, that is not settled in the store."""
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
        by_minute: dict[int, list[Trade]] = {}
        newest = self.newest_ms
        for trade in trades:
            if trade.first_trade_id < 0:  # a tombstone
                continue
            time_ms = trade.timestamp
            if time_ms > newest:
                newest = time_ms
            minute = time_ms // MINUTE_MS * MINUTE_MS
            group = by_minute.get(minute)
            if group is None:
                by_minute[minute] = [trade]
            else:
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
        return list(self.frames[timeframe].walk(self.minutes, self._clock(now_ms)))

    def tick(self, now_ms: int) -> list[tuple[int, list[Candle]]]:
        """For each watched timeframe what to tell now (see `Frame.tick`)."""
        clock = self._clock(now_ms)
        return [(tf, frame.tick(self.minutes, clock)) for tf, frame in self.frames.items()]

    def advance(self, watermark: int) -> None:
        """The store has taken over the minutes before `watermark`."""
        for frame in self.frames.values():
            frame.advance(self.minutes, watermark)
        self.minutes = {m: candle for m, candle in self.minutes.items() if m >= watermark}
        self.watermark = watermark

    def _clock(self, now_ms: int) -> int:
        return max(now_ms, self.newest_ms)
