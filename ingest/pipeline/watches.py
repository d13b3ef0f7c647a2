"""Which timeframes are watched: followed live as long as anybody does, counted by reference."""

from __future__ import annotations

import asyncio
from collections import Counter

from ingest.binance.clock import ExchangeClock
from ingest.core.candle import Candle
from ingest.core.live import Frame
from ingest.core.status import Quality
from ingest.storage import Store

from .feed import Feed
from .materialize import Materializer
from .pair import Pair
from .settle import Settler

MAX_WATCHED = 5_000
"""Different (symbol, timeframe) pairs that may be watched at the same time."""

SHARE_WHEN_FULL = 10
"""Subscriptions that a client may have even then, so that many of one client lock out nobody."""


class Watches:
    """The pairs that somebody watches, and their history."""

    def __init__(
        self, store: Store, settler: Settler, clock: ExchangeClock, materializer: Materializer
    ) -> None:
        self._store = store
        self._settler = settler
        self._clock = clock
        self._materializer = materializer
        self._references: Counter[Pair] = Counter()
        self._prepared: dict[Pair, asyncio.Task[None]] = {}

    @property
    def references(self) -> dict[Pair, int]:
        """How many subscriptions need each watched pair."""
        return dict(self._references)

    def has_room(self, pair: Pair, subscriptions: int) -> bool:
        """Whether a client that has so many subscriptions may watch one more pair."""
        return (
            len(self._references) < MAX_WATCHED
            or pair in self._references
            or subscriptions < SHARE_WHEN_FULL
        )

    def retain(self, pair: Pair) -> None:
        """Count one more subscription; `prepared` has to be awaited before the pair is read."""
        if pair not in self._references:
            self._materializer.watched(pair)
        self._references[pair] += 1

    def release(self, feed: Feed, pair: Pair) -> None:
        """Count one subscription less; after the last the pair is no longer followed live."""
        self._references[pair] -= 1
        if self._references[pair] <= 0:
            del self._references[pair]
            self._materializer.released(pair)
            feed.live.unwatch(pair.timeframe)
            if pair in self._prepared and self._prepared[pair].done():
                del self._prepared[pair]

    async def prepared(self, feed: Feed, pair: Pair) -> None:
        """Wait until a retained pair is followed live.

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
            if pair in self._references:  # else nobody has waited so long
                await self._settler.rebase(feed, frame)
            if pair not in self._references:
                del self._prepared[pair]
                return
            feed.live.watch(frame)
            if feed.status.quality is Quality.COMPLETE:
                frame.mark_shown(
                    feed.live.walk(pair.timeframe, feed.shown_ms(self._clock.now_ms()))[:-1]
                )
