"""Settles trades in the store: inserts them, recomputes their minutes, moves the watermark.

One cycle serves all symbols with one insert and one recomputation. The store is never asked to
add anything up: a touched minute is recomputed whole from the stored trades, so a cycle that is
repeated after a failure changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import ParamSpec, TypeVar

from ingest.binance.clock import ExchangeClock
from ingest.core.continuity import Gap
from ingest.core.errors import StoreUnavailable
from ingest.core.live import MAX_CATCH_UP_CANDLES, Frame
from ingest.core.status import Quality
from ingest.core.timeframe import MINUTE_MS, bucket_start
from ingest.storage import Malformed, Store
from ingest.storage.quarantine import MAX_MESSAGE_BYTES

from .feed import Feed

CYCLE_SECONDS = 0.25
CLOSE_DELAY_MS = 2000
"""How long after its end a minute is settled: trades of it may still be on their way."""
RETRY_SECONDS = 1.0
MAX_RETRY_SECONDS = 4.0
MAX_MALFORMED_WAITING = 10_000
"""Messages that may wait to be kept aside, each cut to what the store keeps of it."""

LAST_SECONDS = 5.0
"""At the end, how long a store that does not answer is waited for."""

P = ParamSpec("P")
T = TypeVar("T")
log = logging.getLogger(__name__)


class Settler:
    """Moves what the feeds took in to the store, for all symbols together."""

    def __init__(
        self,
        store: Store,
        clock: ExchangeClock,
        feeds: Mapping[str, Feed],
        on_whole: Callable[[Feed], None],
    ) -> None:
        self.store = store
        self._clock = clock
        self._feeds = feeds
        self._on_whole = on_whole
        self.watermark_lock = asyncio.Lock()
        """Held while a watermark moves: a reader of store and live candles together takes it."""
        self.between_cycles = asyncio.Lock()
        """Held during a cycle: whoever takes it finds no trades on their way to the store."""
        self.store_failing_since_ms: int | None = None
        """By this machine's clock; None while the store answers."""
        self._malformed: list[Malformed] = []

    async def run(self) -> None:
        """Settle until cancelled."""
        while True:
            async with self.between_cycles:
                await self.cycle()
            await asyncio.sleep(CYCLE_SECONDS)

    async def cycle(self) -> None:
        """Store all that waits, and settle the minutes that are over."""
        feeds = [feed for feed in self._feeds.values() if feed.is_open]
        taken = {feed.symbol: feed.take() for feed in feeds}
        batch = {symbol: trades for symbol, (trades, _) in taken.items() if trades}
        if batch:
            await self.patiently(self.store.trades.insert, batch)
            for symbol in batch:
                self._feeds[symbol].stored()
        over_ms = self._clock.now_ms() - CLOSE_DELAY_MS
        # Fixed for the whole cycle: what ends during it has not been recomputed.
        close_ms = {feed.symbol: feed.shown_ms(over_ms) for feed in feeds}
        async with self.watermark_lock:
            ends = {feed.symbol: feed.settled_until(close_ms[feed.symbol]) for feed in feeds}
            touched = await self.patiently(self.store.candles.unsettled, ends)
            earliest = {symbol: spans[0][0] for symbol, spans in touched.items()}
            for feed in feeds:
                end = ends[feed.symbol]
                minutes = {minute for minute in feed.live.minutes if minute < end}
                if end > feed.live.watermark:
                    minutes.add(end - MINUTE_MS)  # quiet or not: the store learns what has ended
                if minutes:
                    touched[feed.symbol] = [*touched.get(feed.symbol, ()), *_spans(minutes)]
            if touched:
                await self.patiently(self.store.candles.recompute, touched)
            for feed in feeds:
                late_from = taken[feed.symbol][1]
                unsettled = earliest.get(feed.symbol, feed.live.watermark)
                if unsettled < feed.live.watermark:
                    late_from = unsettled if late_from is None else min(late_from, unsettled)
                await self._advance(feed, close_ms[feed.symbol], late_from)
        await self._keep_malformed()

    async def store_rest(self) -> None:
        """Store what is left when all has stopped; the next start settles it.

        What a store that is away does not take, the next start fetches from the exchange.
        """
        batch = {s: trades for s, feed in self._feeds.items() if (trades := feed.take()[0])}
        try:
            async with asyncio.timeout(LAST_SECONDS):
                if batch:
                    await self.patiently(self.store.trades.insert, batch)
                await self._keep_malformed()
        except TimeoutError:
            count = sum(map(len, batch.values()))
            log.warning("The store is away: %d trades are left to be fetched again", count)

    async def confirm_gap(self, symbol: str, gap: Gap, tries: int) -> None:
        """Keep that the exchange does not have these ids, found in so many tries."""
        await self.patiently(self.store.gaps.confirm, symbol, *gap, tries)

    def put_aside(self, symbol: str, raw: bytes, error: str) -> None:
        """Keep a message that is no valid trade for inspection, unless too many wait already."""
        if len(self._malformed) < MAX_MALFORMED_WAITING:
            now_ms = time.time_ns() // 1_000_000
            self._malformed.append(Malformed(now_ms, symbol, raw[:MAX_MESSAGE_BYTES], error))

    async def _keep_malformed(self) -> None:
        if messages := self._malformed[:]:
            await self.patiently(self.store.quarantine.keep, messages)
            del self._malformed[: len(messages)]

    async def _advance(self, feed: Feed, close_ms: int, late_from: int | None) -> None:
        until = feed.settled_until(close_ms)
        if until > feed.live.watermark:
            feed.live.advance(until)
        if late_from is not None:
            if feed.is_whole:
                await self._correct(feed, late_from)
            else:
                feed.late_again(late_from)
        if feed.make_whole():
            self._on_whole(feed)

    async def _correct(self, feed: Feed, late_from: int) -> None:
        """Start every frame anew from the store, and tell again what has changed in it.

        While history is being downloaded nothing was told before.
        """
        loading = feed.status.quality is Quality.LOADING
        for frame in list(feed.live.frames.values()):
            bucket = bucket_start(feed.live.watermark, frame.timeframe)
            since = frame.told_in_doubt(bucket_start(late_from, frame.timeframe))
            await self.rebase(feed, frame)
            count = 0 if loading else min((bucket - since) // frame.width, MAX_CATCH_UP_CANDLES)
            frame.correct(
                await self.patiently(
                    self.store.candles.read, feed.symbol, frame.timeframe, bucket, count
                )
            )

    async def rebase(self, feed: Feed, frame: Frame) -> None:
        """Give a frame what the store has up to the watermark, which must not move meanwhile."""
        watermark = feed.live.watermark
        frame.rebase(
            watermark,
            *await self.patiently(
                self.store.candles.basis, feed.symbol, frame.timeframe, watermark
            ),
        )

    async def patiently(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of a call to the store, tried again until it succeeds.

        A fault that is none of the store's being away is told in full and treated the same: to
        give up would end the server, to go on would lose what the call was for.
        """
        delay = RETRY_SECONDS
        while True:
            try:
                result = await self.store.run(call, *args, **kwargs)
            except Exception as error:
                known = isinstance(error, StoreUnavailable)
                log.warning(
                    "The store fails, trying again in %.1f s: %s", delay, error, exc_info=not known
                )
                if self.store_failing_since_ms is None:
                    self.store_failing_since_ms = time.time_ns() // 1_000_000
                await asyncio.sleep(delay)
                delay = min(delay * 2, MAX_RETRY_SECONDS)
            else:
                self.store_failing_since_ms = None
                return result


def _spans(minutes: Iterable[int]) -> list[tuple[int, int]]:
    """Neighbouring minutes as spans of time, the end exclusive."""
    spans: list[tuple[int, int]] = []
    for minute in sorted(minutes):
        if spans and spans[-1][1] == minute:
            spans[-1] = (spans[-1][0], minute + MINUTE_MS)
        else:
            spans.append((minute, minute + MINUTE_MS))
    return spans
