"""Files of whole days and months, made once when all of it is closed, and kept on disk.

A file on disk is named after a digest of its rows and after its content. What `core.blocks` calls
changed is compared by that digest before it is served again: so a repair gives another file, and a
file of an earlier run is taken over.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from generated.native.facts import DataQuality
from ingest.core.blocks import Reading
from ingest.core.errors import NoSuchFile, NotReady
from ingest.core.keep import DAY_MS
from ingest.core.periods import Period, days, months
from ingest.core.timeframe import bucket_start, first_bucket, label
from ingest.storage import (
    AsyncStore,
    CandleSpan,
    FileFormat,
    Span,
    TradeSpan,
    candles_of,
    trades_of,
)

from .view import MarketView, not_complete

MAX_WAITING: Final = 32
"""Requests that wait for files to be made; one file is made at a time."""
MAX_KNOWN: Final = 10_000
"""Files that need not be compared with the store before they are served."""
TRIES: Final = 3
"""How often a file is made whose rows change meanwhile."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file: of candles where it has a timeframe, else of trades."""

    symbol: str
    timeframe: int | None
    period: Period
    format: FileFormat

    @property
    def folder(self) -> Path:
        """Where it lies below the directory of all files."""
        if self.timeframe is None:
            return Path("trades", self.symbol)
        return Path("candles", self.symbol, label(self.timeframe))

    @property
    def name(self) -> str:
        """Its name for clients."""
        return f"{self.period.name}.{self.format}"


@dataclass(frozen=True, slots=True)
class Made:
    """A file on disk."""

    path: Path
    readings: tuple[Reading, ...]
    """They are void once its rows have changed."""

    @property
    def sha256(self) -> str:
        """The hash of its content, in hexadecimal digits."""
        return self.path.name.split(".")[2]


class Files:
    """The files of one store. Every call raises UnknownSymbol."""

    def __init__(
        self, store: AsyncStore, view: MarketView, directory: Path, budget_bytes: int
    ) -> None:
        """Files of more than `budget_bytes` together are not kept: the least used go first."""
        self._store = store
        self._blocks = store.blocks
        self._view = view
        self._directory = directory
        self._budget_bytes = budget_bytes
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._known: OrderedDict[Wanted, Made] = OrderedDict()

    async def file(self, wanted: Wanted) -> Made:
        """A file, made if it has to be.

        Raises NoSuchFile for one that there is not or not yet; NotReady while the symbol is not
        complete, or too many files are asked for; StoreUnavailable.
        """
        if made := self._current(wanted):
            return made
        span = self._span(wanted)
        if self._waiting >= MAX_WAITING:
            raise NotReady("Many files are being made; ask again in a while")
        self._waiting += 1
        try:
            async with self._turn:
                return self._current(wanted) or await self._make(wanted, span)
        finally:
            self._waiting -= 1

    async def available(self, symbol: str, timeframe: int | None) -> list[Period]:
        """The days, and of candles the months, of which there are files, each in order.

        Raises NotReady while the symbol is being opened, and StoreUnavailable.
        """
        end = self._closed_ms(symbol, timeframe)
        first = await self._store.candles.first_minute(symbol)
        if first is None:
            return []
        start = max(self._whole_from_ms(symbol, timeframe), first // DAY_MS * DAY_MS)
        found = [*days(start, end), *(months(start, end) if timeframe is not None else ())]
        return [period for period in found if _bounds(period, timeframe) is not None]

    def _span(self, wanted: Wanted) -> Span:
        """The rows of a file; raises NoSuchFile where it cannot be made."""
        symbol, timeframe, period = wanted.symbol, wanted.timeframe, wanted.period
        bounds = _bounds(period, timeframe)
        if bounds is None:
            raise NoSuchFile(f"No candle of {timeframe} minutes begins in {period.name}")
        if timeframe is None and period.is_month:
            raise NoSuchFile("Trades come in files of a day: ask for one such as 2026-11-25")
        if period.end_ms > self._closed_ms(symbol, timeframe):
            raise NoSuchFile(
                f"{period.name} is not over, or its last candle is not: its file is made when all "
                "of it is closed"
            )
        if period.start_ms < self._whole_from_ms(symbol, timeframe):
            raise NoSuchFile(
                f"Not all of {period.name} is here: GET /api/v1/data/files/ lists what there is"
            )
        if timeframe is None:
            return TradeSpan(symbol, *bounds)
        return CandleSpan(symbol, timeframe, *bounds)

    def _closed_ms(self, symbol: str, timeframe: int | None) -> int:
        """The time up to which all is closed and stored; raises NotReady before that is known."""
        feed = self._view.feed(symbol)
        if not feed.state.is_open:
            raise not_complete(feed)
        return bucket_start(feed.live.watermark, timeframe or 1)

    def _whole_from_ms(self, symbol: str, timeframe: int | None) -> int:
        """The time from which on nothing is missing."""
        if timeframe is not None:
            return self._view.whole_from_ms(symbol)
        trades_since_ms = self._store.retention.line(symbol).trades_since_ms
        return max(self._view.feed(symbol).live.whole_from_ms, trades_since_ms)

    def _current(self, wanted: Wanted) -> Made | None:
        """A file that is known and has not changed; it counts as used."""
        made = self._known.get(wanted)
        if made is None:
            return None
        if not any(reading.is_void for reading in made.readings):
            with suppress(FileNotFoundError):
                _use(made.path)
                self._known.move_to_end(wanted)
                return made
        self._forget(wanted)
        return None

    def _forget(self, wanted: Wanted) -> None:
        for reading in self._known.pop(wanted).readings:
            self._blocks.end_reading(reading)

    async def _make(self, wanted: Wanted, span: Span) -> Made:
        """Make a file, or find it on disk, and know it from now on."""
        feed = self._view.feed(wanted.symbol)
        for _ in range(TRIES):
            if feed.status.quality is not DataQuality.COMPLETE:
                raise not_complete(feed)
            readings = await self._begin_readings(span)
            try:
                path = await self._written(wanted, await self._from_first(wanted, span))
                is_complete = feed.status.quality is DataQuality.COMPLETE
                if is_complete and not any(reading.is_void for reading in readings):
                    made = self._known[wanted] = Made(path, readings)
                    while len(self._known) > MAX_KNOWN:
                        self._forget(next(iter(self._known)))
                    return made
            finally:
                if wanted not in self._known:
                    for reading in readings:
                        self._blocks.end_reading(reading)
        raise NotReady(f"The data of {wanted.period.name} changes just now; ask again")

    async def _from_first(self, wanted: Wanted, span: Span) -> Span:
        """The span from the first candle on: there are none before the first trade."""
        if isinstance(span, TradeSpan):
            return span
        since = first_bucket(self._view.whole_from_ms(span.symbol), span.timeframe)
        first = await self._store.candles.first_minute(span.symbol, since)
        if first is None or bucket_start(first, span.timeframe) >= span.end_ms:
            raise _no_trade(wanted)
        return replace(span, start_ms=max(span.start_ms, bucket_start(first, span.timeframe)))

    async def _begin_readings(self, span: Span) -> tuple[Reading, ...]:
        """Readings that become void when the rows of a span change.

        A trade that is stored later than newer ones touches the candle of its minute.
        """
        until = {candles_of(span.symbol): span.end_ms}
        if isinstance(span, TradeSpan):
            stored = await self._store.trades.bounds(span.symbol)
            until[trades_of(span.symbol)] = stored.stop
        return tuple(self._blocks.begin_reading(*each) for each in until.items())

    async def _written(self, wanted: Wanted, span: Span) -> Path:
        """The path of a file, which is written where it is not on disk."""
        exports = self._store.exports
        digest = await exports.digest(span)
        if not digest.rows:
            raise _no_trade(wanted)
        folder = self._directory / wanted.folder
        stem = f"{wanted.period.name}.{digest.value:016x}"
        for path in folder.glob(f"{stem}.*.{wanted.format}"):
            _use(path)
            return path
        path = await exports.write(span, digest, wanted.format, folder, stem)
        await asyncio.to_thread(self._make_room, path)
        return path

    def _make_room(self, newest: Path) -> None:
        """Remove the files that were used longest ago, until the others are within the budget."""
        found = [(path.stat(), path) for path in self._directory.rglob("*") if path.is_file()]
        found.sort(key=lambda each: (each[1] == newest, each[0].st_atime), reverse=True)
        total = 0
        for stat, path in found:
            total += stat.st_size
            if total > self._budget_bytes and path != newest:
                path.unlink(missing_ok=True)


def _use(path: Path) -> None:
    """Note that a file is used just now; raises FileNotFoundError."""
    os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))


def _no_trade(wanted: Wanted) -> NoSuchFile:
    name = wanted.period.name
    return NoSuchFile(f"{wanted.symbol} has no trade here up to the end of {name}, or none in it")


def _bounds(period: Period, timeframe: int | None) -> tuple[int, int] | None:
    """Where the rows of a period begin and end: its candles are those that begin in it."""
    if timeframe is None:
        return period.start_ms, period.end_ms
    start, end = (first_bucket(ms, timeframe) for ms in (period.start_ms, period.end_ms))
    return (start, end) if start < end else None
