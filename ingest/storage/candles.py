"""Candles as they are recomputed and read: quiet buckets flat, at any timeframe."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ..core.blocks import Blocks
from ..core.candle import Candle, filled
from ..core.keep import DAY_MS
from ..core.timeframe import MINUTE_MS, bucket_start, first_bucket, width_ms
from .buckets import Buckets
from .connection import Parameters
from .forms import candles_of
from .progress import Progress
from .recompute import MINUTES, Span, Touched, closing, extents, frames_of, join, terms_of
from .retention import Retention
from .timeframes import Timeframes, View

Basis = tuple[Candle | None, int | None]
"""The part of a bucket that is stored, and the close before the bucket."""


class Candles:
    """The candles in the store, recomputed from its trades.

    A bucket has a row when it has trades; quiet ones are filled in when candles are read. A
    minute has its row once it was recomputed, a bucket of a materialized timeframe once it ended.
    """

    def __init__(
        self,
        buckets: Buckets,
        progress: Progress,
        retention: Retention,
        timeframes: Timeframes,
        blocks: Blocks,
    ) -> None:
        self._buckets = buckets
        self._progress = progress
        self._retention = retention
        self._timeframes = timeframes
        self._blocks = blocks

    def recompute(self, touched: Touched, *, close: bool = True) -> None:
        """Write the minutes in these spans anew from the trades, and every bucket around them.

        Every minute in them has to be closed. Doing it twice, in parts or in another order comes
        to the same. Minutes whose trades have expired stay as they are. Without `close` buckets
        that end in the spans are not written yet: they are read from the minutes until `close`.
        """
        spans = {symbol: list(parts) for symbol, parts in touched.items()}
        since = {candles_of(symbol): min(parts)[0] for symbol, parts in spans.items() if parts}
        with self._blocks.changing(since), self._progress.recomputing(spans):
            lines = {symbol: self._retention.line(symbol) for symbol in spans}
            kept = {s: _after(parts, lines[s].recompute_from_ms) for s, parts in spans.items()}
            for terms in terms_of({symbol: join(parts) for symbol, parts in kept.items()}):
                self._buckets.write_minutes(terms)
            with self._timeframes.unchanged:
                self._write_around(kept, kept if close else {})

    def close(self, until: Mapping[str, int]) -> None:
        """Write the buckets that have ended by these times, by symbol; their minutes are written.

        To do it later, or never, changes nothing that is read.
        """
        with self._timeframes.unchanged:
            spans = {symbol: [(0, end)] for symbol, end in until.items()}
            self._write_around(dict.fromkeys(until, ()), spans)

    def _write_around(self, touched: Touched, ended: Touched) -> None:
        """Write the buckets that these spans touch, and those that end by the end of others."""
        closed = {symbol: self._progress.closed_ms(symbol) for symbol in touched}
        moved = closed | closing(ended, closed)
        whole = {symbol: self._retention.line(symbol).candles_since_ms for symbol in touched}
        frames = frames_of(touched, closed, moved, whole, self._timeframes.kept)
        with self._progress.closing(moved):
            for terms in terms_of(extents(frames)):
                self._buckets.write(terms, frames)

    def unsettled(self, closed_before: Mapping[str, int]) -> dict[str, list[Span]]:
        """The spans, by symbol, that have to be recomputed up to the minutes given: those whose
        trades were stored and not recomputed, in this run or in one that was cut short."""
        spans = {
            symbol: self._progress.unsettled(symbol, until)
            for symbol, until in closed_before.items()
        }
        return {symbol: parts for symbol, parts in spans.items() if parts}

    def hold(self, symbol: str, before_ms: int) -> None:
        """Leave the minutes before this one out of `unsettled`, until they are released."""
        self._progress.hold(symbol, before_ms)

    def held(self, symbol: str) -> dict[str, list[Span]]:
        """The spans that are held back and have to be recomputed."""
        spans = self._progress.held(symbol)
        return {symbol: spans} if spans else {}

    def release(self, symbol: str) -> None:
        """Hold back no minute of a symbol any more."""
        self._progress.release(symbol)

    def materialize(self, symbol: str, timeframe: int) -> None:
        """Keep the candles of this pair from now on; to do it again changes nothing.

        The rows of a dropped pair have to be deleted before.
        """
        self._timeframes.materialize(symbol, timeframe)

    def drop(self, symbol: str, timeframe: int) -> None:
        """Keep the candles of this pair no longer; its rows stay until `delete_dropped`."""
        self._timeframes.drop(symbol, timeframe)

    def delete_dropped(self, pairs: Collection[tuple[str, int]]) -> None:
        """Delete the rows of dropped pairs; no read of them may be under way."""
        self._timeframes.delete_dropped(pairs)

    @property
    def pairs(self) -> frozenset[tuple[str, int]]:
        """The (symbol, timeframe) pairs that are materialized."""
        return self._timeframes.pairs

    @property
    def dropped(self) -> frozenset[tuple[str, int]]:
        """The pairs that are materialized no longer, but still have rows."""
        return self._timeframes.dropped

    def add_levels(self, limit: int) -> None:
        """Write the levels of up to so many symbols that lack them, and keep them from now on."""
        self._timeframes.add_levels(limit)

    def written(self, symbol: str) -> Sequence[int]:
        """The timeframes of a symbol whose ended buckets are kept, in use or not, ascending."""
        return self._timeframes.written(symbol)

    def views(self, symbol: str) -> list[View]:
        """The materialized timeframes of a symbol with their true sizes."""
        return self._timeframes.views(symbol)

    def read(
        self,
        symbol: str,
        timeframe: int,
        before: int,
        limit: int,
        whole_from_ms: int = 0,
    ) -> list[Candle]:
        """The last `limit` buckets that ended at or before the time `before`, oldest first.

        Quiet buckets since the first trade are flat. Trades before `whole_from_ms` are missing:
        buckets that begin earlier count for nothing.
        """
        width = width_ms(timeframe)
        end = bucket_start(before, timeframe)
        start = max(self.beginning(symbol, timeframe, whole_from_ms), end - limit * width)
        if start >= end:
            return []
        traded = self.traded(symbol, timeframe, start, end)
        previous = None
        if not traded or traded[0].candle_time > start:
            previous = self.previous_close(symbol, timeframe, start, whole_from_ms)
        return filled(traded, start, end, width, previous)

    def beginning(self, symbol: str, timeframe: int, whole_from_ms: int = 0) -> int:
        """The start of the first bucket of which nothing has expired and no trade is missing."""
        return max(
            self._retention.first_candle(symbol, timeframe), first_bucket(whole_from_ms, timeframe)
        )

    def newest_traded(self, symbol: str, timeframe: int) -> Candle | None:
        """The newest bucket that has trades, however old it is."""
        minute = self.watermark(symbol)
        if minute is None:
            return None
        end = bucket_start(minute, timeframe) + width_ms(timeframe)
        found = self.read(symbol, timeframe, end, 1)
        return found[-1] if found else None

    def totals(self, since: Mapping[str, int]) -> dict[str, Candle]:
        """All stored minutes of some symbols, each from a time on, as one candle a symbol, whose
        time that is; symbols without any are left out."""
        return self._buckets.totals(since)

    def open_part(
        self, symbol: str, timeframe: int, candle_time: int, before: int
    ) -> Candle | None:
        """The candle of the stored minutes before the time `before`, of the bucket that starts at
        `candle_time`; None when they are quiet."""
        end = min(before, candle_time + width_ms(timeframe))
        return self._buckets.parts(symbol, {timeframe: candle_time}, end).get(
            (timeframe, candle_time)
        )

    def bases(
        self, symbol: str, timeframes: Collection[int], watermark: int, whole_from_ms: int = 0
    ) -> dict[int, Basis]:
        """By timeframe, the candle of the minutes before `watermark` in its bucket, and the close
        before that.

        A bucket that begins before `whole_from_ms` gives no close.
        """
        # The close is mostly that of the bucket before, and costs no statement of its own then.
        since = {tf: _since(tf, watermark, whole_from_ms) for tf in timeframes}
        found = self._buckets.parts(symbol, since, watermark)
        return {tf: self._basis(symbol, tf, watermark, whole_from_ms, found) for tf in timeframes}

    def _basis(
        self,
        symbol: str,
        timeframe: int,
        watermark: int,
        whole_from_ms: int,
        found: Mapping[tuple[int, int], Candle],
    ) -> Basis:
        bucket = bucket_start(watermark, timeframe)
        part = found.get((timeframe, bucket))
        before = found.get((timeframe, bucket - width_ms(timeframe)))
        if before is not None:
            return part, before.close
        return part, self.previous_close(symbol, timeframe, bucket, whole_from_ms)

    def previous_close(
        self, symbol: str, timeframe: int, before: int, whole_from_ms: int = 0
    ) -> int | None:
        """The close of the last bucket with trades that ended at or before the time `before`, and
        began at or after `whole_from_ms`.

        It is not always that of its last minute: times may run against ids, and the close of
        each belongs to its own highest id.
        """
        last = self._last_minute(symbol, first_bucket(whole_from_ms, timeframe), before)
        if last is None:
            return None
        minute, close = last
        bucket = bucket_start(minute, timeframe)
        if bucket == minute:
            return close
        part = self.open_part(symbol, timeframe, bucket, before)
        return part.close if part is not None else None

    def _last_minute(self, symbol: str, since: int, before: int) -> tuple[int, int] | None:
        """Start and close of the last minute with trades from `since` on that ended at or before
        `before`."""
        if since >= before:
            return None
        # Mostly it is a recent one; over years the engine would sort all that it finds.
        last = before - MINUTE_MS
        recent = self._buckets.last_minute(symbol, max(since, before - DAY_MS), last)
        return recent if recent is not None else self._buckets.last_minute(symbol, since, last)

    def first_minute(self, symbol: str, since: int = 0) -> int | None:
        """The start of the first minute kept of a symbol from a time on; None when it has none."""
        since = max(since, self._retention.line(symbol).candles_since_ms)
        return self._buckets.first_minute(symbol, since)

    def watermark(self, symbol: str) -> int | None:
        """The start of the last minute stored of a symbol; None when it has none."""
        return self._buckets.watermark(symbol)

    def forget(self, symbol: str, timeframe: int, times: Sequence[int]) -> None:
        """Delete candles, for a wrong one may say that it has more trades than the right one."""
        if times:
            with self._blocks.changing({candles_of(symbol): min(times)}):
                self._buckets.forget(symbol, timeframe, times)

    def forget_around(self, symbol: str, minutes: Collection[int]) -> None:
        """Delete the candles of these minutes, and every bucket that they lie in."""
        for timeframe in (MINUTES, *self._timeframes.kept(symbol)):
            times = sorted({bucket_start(minute, timeframe) for minute in minutes})
            self.forget(symbol, timeframe, times)

    def source(self, symbol: str, timeframe: int, start: int, end: int) -> tuple[str, Parameters]:
        """A statement, and its values, that gives the buckets with trades in [start, end), in any
        order. Both are starts of buckets."""
        origin = self._timeframes.origin(symbol, timeframe)
        return self._buckets.source(symbol, timeframe, start, end, origin)

    def traded(self, symbol: str, timeframe: int, start: int, end: int) -> list[Candle]:
        """The buckets with trades in [start, end), both of them starts of buckets, in order."""
        origin = self._timeframes.origin(symbol, timeframe)
        return self._buckets.traded(symbol, timeframe, start, end, origin)


def _since(timeframe: int, watermark: int, whole_from_ms: int) -> int:
    """The start of the bucket before that of the watermark, where it counts, else of that one."""
    bucket = bucket_start(watermark, timeframe)
    before = bucket - width_ms(timeframe)
    return before if before >= max(0, whole_from_ms) else bucket


def _after(spans: Sequence[Span], time_ms: int) -> list[Span]:
    """The parts of these spans that are not before a time."""
    return [(max(since, time_ms), until) for since, until in spans if until > time_ms]
