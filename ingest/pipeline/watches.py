"""Which timeframes are watched: materialized on the first subscription, counted by reference."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import NamedTuple

from ingest.binance.clock import ExchangeClock
from ingest.core.candle import Candle
from ingest.core.live import Frame
from ingest.core.status import Quality
from ingest.storage import Store

from .feed import Feed
from .settle import Settler

MAX_WATCHED = 5_000
"""Different (symbol, timeframe) pairs that may be watched at the same time."""

HISTORY_FIRST_SECONDS = 1.0
"""How long a new pair waits to be materialized: its first history needs the engine before."""


class Pair(NamedTuple):
    """One symbol at one timeframe of so many minutes."""

    symbol: str
    timeframe: int


class Watches:
    """The pairs that somebody watches, and their history."""

    def __init__(self, store: Store, settler: Settler, clock: ExchangeClock) -> None:
        self._store = store
        self._settler = settler
        self._clock = clock
        self._references: Counter[Pair] = Counter()
        self._prepared: dict[Pair, asyncio.Task[None]] = {}
        self._materializing: set[asyncio.Task[None]] = set()
        self._one_at_a_time = asyncio.Lock()

    @property
    def references(self) -> dict[Pair, int]:
        """How many subscriptions need each watched pair."""
        return dict(self._references)

    @property
    def full(self) -> bool:
        """Whether no further pair may be watched until one is given up."""
        return len(self._references) >= MAX_WATCHED

    def retain(self, pair: Pair) -> None:
        """Count one more subscription; `prepared` has to be awaited before the pair is read."""
        self._references[pair] += 1

    def release(self, feed: Feed, pair: Pair) -> None:
        """Count one subscription less; after the last the pair is no longer followed live."""
        self._references[pair] -= 1
        if self._references[pair] <= 0:
            del self._references[pair]
            feed.live.unwatch(pair.timeframe)
            if pair in self._prepared and self._prepared[pair].done():
                del self._prepared[pair]

    async def prepared(self, feed: Feed, pair: Pair) -> None:
        """Wait until a retained pair is followed live; it is materialized soon after.

        That takes as long as the store is away.
        """
        task = self._prepared.get(pair)
        if task is None:
            task = self._prepared[pair] = asyncio.create_task(self._prepare(feed, pair))
        await asyncio.shield(task)

    async def history(self, feed: Feed, timeframe: int, count: int) -> list[Candle]:
        """The newest `count` candles of a watched pair, the running one last.

        There are none while the data is not complete.
        """
        while feed.status.quality is Quality.COMPLETE and count:
            frame, revision = feed.live.frames.get(timeframe), feed.revision
            if frame is None:
                break  # nobody watches it any more
            bucket = frame.bucket
            stored = await self._settler.patiently(
                self._store.candles.read, feed.symbol, timeframe, bucket, count
            )
            if frame.bucket != bucket or feed.revision != revision:
                continue  # it changed while it was read
            candles = [*stored, *feed.live.walk(timeframe, feed.shown_ms(self._clock.now_ms()))]
            whole = [candle for candle in candles if candle.candle_time >= feed.whole_from_ms]
            return whole[-count:]
        return []

    async def _prepare(self, feed: Feed, pair: Pair) -> None:
        frame = Frame(pair.timeframe)
        async with self._settler.watermark_lock:
            await self._settler.rebase(feed, frame)
            if pair not in self._references:  # it was given up meanwhile
                del self._prepared[pair]
                return
            feed.live.watch(frame)
            if feed.status.quality is Quality.COMPLETE:
                frame.mark_shown(
                    feed.live.walk(pair.timeframe, feed.shown_ms(self._clock.now_ms()))[:-1]
                )
        if pair not in self._store.candles.pairs:
            task = asyncio.create_task(self._materialize(pair))
            self._materializing.add(task)
            task.add_done_callback(self._materializing.discard)

    async def _materialize(self, pair: Pair) -> None:
        """Materialize a pair that is still watched once its first history is out of the way.

        Until then histories are read from the minutes, which is faster than to wait for this. One
        pair at a time, so that many new ones leave the store to what has to be stored.
        """
        await asyncio.sleep(HISTORY_FIRST_SECONDS)
        async with self._one_at_a_time:
            if pair in self._references:
                await self._settler.patiently(self._store.candles.materialize, *pair)
