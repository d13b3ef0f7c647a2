# ruff: noqa: S608  # statements are put together from constants of this package alone
"""Candles as they are read: quiet buckets flat, at any timeframe, materialized or not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ..core.blocks import Blocks
from ..core.candle import Candle, filled
from ..core.keep import DAY_MS
from ..core.timeframe import MINUTE_MS, bucket_start, first_bucket, width_ms
from . import fold
from .connection import Connection, Parameters
from .forms import candles_of
from .progress import Progress
from .recompute import (
    MINUTES,
    Frames,
    Span,
    Terms,
    Touched,
    closing,
    extents,
    frames_of,
    join,
    terms_of,
    write_buckets,
    write_minutes,
)
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
        connection: Connection,
        progress: Progress,
        retention: Retention,
        timeframes: Timeframes,
        blocks: Blocks,
    ) -> None:
        self._connection = connection
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
                self._write_minutes(terms)
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
        frames = frames_of(touched, closed, moved, whole, self._timeframes.pairs)
        for terms in terms_of(extents(frames)):
            self._write_buckets(terms, frames)
        self._progress.close(moved)

    def unsettled(self, closed_before: Mapping[str, int]) -> dict[str, list[Span]]:
        """The spans, by symbol, that have to be recomputed up to the minutes given: those whose
        trades were stored and not recomputed, in this run or in one that was cut short."""
        spans = {
            symbol: self._progress.unsettled(symbol, until)
            for symbol, until in closed_before.items()
        }
        return {symbol: parts for symbol, parts in spans.items() if parts}

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

    def open_part(
        self, symbol: str, timeframe: int, candle_time: int, before: int
    ) -> Candle | None:
        """The candle of the stored minutes before the time `before`, of the bucket that starts at
        `candle_time`; None when they are quiet."""
        end = min(before, candle_time + width_ms(timeframe))
        return self._parts(symbol, {timeframe: candle_time}, end).get((timeframe, candle_time))

    def bases(
        self, symbol: str, timeframes: Collection[int], watermark: int, whole_from_ms: int = 0
    ) -> dict[int, Basis]:
        """By timeframe, the candle of the minutes before `watermark` in its bucket, and the close
        before that.

        A bucket that begins before `whole_from_ms` gives no close.
        """
        # The close is mostly that of the bucket before, and costs no statement of its own then.
        since = {tf: _since(tf, watermark, whole_from_ms) for tf in timeframes}
        found = self._parts(symbol, since, watermark)
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
        recent = self._last_minute_from(symbol, max(since, before - DAY_MS), last)
        return recent if recent is not None else self._last_minute_from(symbol, since, last)

    def first_minute(self, symbol: str, since: int = 0) -> int | None:
        """The start of the first minute kept of a symbol from a time on; None when it has none."""
        since = max(since, self._retention.line(symbol).candles_since_ms)
        return self._first_minute_from(symbol, since)

    def watermark(self, symbol: str) -> int | None:
        """The start of the last minute stored of a symbol; None when it has none."""
        rows = self._connection.rows(
            "SELECT candle_time FROM minutes WHERE symbol = {symbol:String}"
            " ORDER BY candle_time DESC LIMIT 1",
            {"symbol": symbol},
        )
        return int(rows[0][0]) if rows else None

    def forget(self, symbol: str, timeframe: int, times: Sequence[int]) -> None:
        """Delete candles, for a wrong one may say that it has more trades than the right one."""
        if times:
            with self._blocks.changing({candles_of(symbol): min(times)}):
                self._delete(symbol, timeframe, times)

    def forget_around(self, symbol: str, minutes: Collection[int]) -> None:
        """Delete the candles of these minutes, and every bucket that they lie in."""
        timeframes = {MINUTES, *(tf for s, tf in self._timeframes.pairs if s == symbol)}
        for timeframe in sorted(timeframes):
            times = sorted({bucket_start(minute, timeframe) for minute in minutes})
            self.forget(symbol, timeframe, times)

    def source(
        self, symbol: str, timeframe: int, start: int, end: int
    ) -> tuple[str, dict[str, object]]:
        """A statement, and its values, that gives the buckets with trades in [start, end), in any
        order. Both are starts of buckets."""
        parameters: dict[str, object] = {"symbol": symbol, "width": width_ms(timeframe)}
        split = self._written_until(symbol, timeframe, end)
        if split is None:
            return _minutes(timeframe), {**parameters, "start": start, "end": end}
        stored = (
            f"SELECT candle_time, {fold.FIGURES} FROM candles FINAL "
            "WHERE symbol = {symbol:String} AND timeframe = {timeframe:UInt32} "
            "AND candle_time >= {from:Int64} AND candle_time < {until:Int64}"
        )
        parameters |= {"timeframe": timeframe, "from": start, "until": split}
        if split == end:
            return stored, parameters
        return f"{stored} UNION ALL {fold.BY_BUCKET}", {
            **parameters,
            "start": max(split, start),
            "end": end,
        }

    def _written_until(self, symbol: str, timeframe: int, end: int) -> int | None:
        """The time up to which buckets that end by `end` are in `candles`; None when none are.

        The last bucket may not have been written yet when nothing was traded since it ended.
        """
        if timeframe == MINUTES or (symbol, timeframe) not in self._timeframes.pairs:
            return None
        return min(bucket_start(self._progress.closed_ms(symbol), timeframe), end)

    # Statements of the calls above ---------------------------------------------------------------

    def traded(self, symbol: str, timeframe: int, start: int, end: int) -> list[Candle]:
        """The buckets with trades in [start, end), both of them starts of buckets."""
        return self._candles(*self.source(symbol, timeframe, start, end))

    def _candles(self, sql: str, parameters: Parameters) -> list[Candle]:
        rows = self._connection.rows(
            f"SELECT {fold.UNSCALED} FROM ({sql}) ORDER BY candle_time", parameters
        )
        return [Candle(*row) for row in rows]

    def _parts(
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

    def _last_minute_from(self, symbol: str, since: int, last: int) -> tuple[int, int] | None:
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

    def _first_minute_from(self, symbol: str, since: int) -> int | None:
        """The start of the first minute from a time on."""
        rows = self._connection.rows(
            "SELECT candle_time FROM minutes WHERE symbol = {symbol:String}"
            " AND candle_time >= {since:Int64} ORDER BY candle_time LIMIT 1",
            {"symbol": symbol, "since": since},
        )
        return int(rows[0][0]) if rows else None

    def _delete(self, symbol: str, timeframe: int, times: Sequence[int]) -> None:
        """Delete candles that begin at these times."""
        parameters = {"symbol": symbol, "timeframe": timeframe, "times": times}
        is_minutes = timeframe == MINUTES
        table = self._connection.layout.changed("minutes" if is_minutes else "candles")
        condition = "" if is_minutes else " AND timeframe = {timeframe:UInt32}"
        self._connection.command(
            f"DELETE FROM {table} WHERE symbol = {{symbol:String}}{condition}"
            " AND candle_time IN {times:Array(Int64)}",
            parameters,
        )

    def _write_minutes(self, terms: Terms) -> None:
        """Write the minutes in these spans anew from the trades."""
        write_minutes(self._connection, terms)

    def _write_buckets(self, terms: Terms, frames: Frames) -> None:
        """Write the buckets of these frames anew from the minutes."""
        write_buckets(self._connection, terms, frames)


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


def _since(timeframe: int, watermark: int, whole_from_ms: int) -> int:
    """The start of the bucket before that of the watermark, where it counts, else of that one."""
    bucket = bucket_start(watermark, timeframe)
    before = bucket - width_ms(timeframe)
    return before if before >= max(0, whole_from_ms) else bucket


def _after(spans: Sequence[Span], time_ms: int) -> list[Span]:
    """The parts of these spans that are not before a time."""
    return [(max(since, time_ms), until) for since, until in spans if until > time_ms]


def _minutes(timeframe: int) -> str:
    """Buckets of a timeframe from the minutes; those of one minute are the minutes themselves."""
    if timeframe != MINUTES:
        return fold.BY_BUCKET
    return (
        f"SELECT candle_time, {fold.FIGURES} FROM minutes FINAL WHERE symbol = {{symbol:String}}"
        " AND candle_time >= {start:Int64} AND candle_time < {end:Int64}"
    )
