"""Work on the store beside live feeds: old trades come in, and the feeds take them over.

A feed has the ids from its first one on. Work of this kind stores those below it, whose minutes it
recomputes by itself, and the feed then begins earlier, as far as its ids hang together.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from ingest.binance.clock import ExchangeClock
from ingest.binance.rest import BinanceRest
from ingest.core.continuity import Continuity, Gap
from ingest.core.fixed import MAX_FIXED
from ingest.core.keep import DAY_MS
from ingest.core.timeframe import bucket_start
from ingest.storage import AsyncStore

from .activate import as_known
from .backfill import Alone
from .beginning import trades_beside, whole_from
from .feed import Feed
from .frames import Frames
from .retry import Retry
from .settle import Settler

OPENED_SECONDS = 0.2
"""From one look to the next whether a feed is open."""


class Beside:
    """A store that the feeds of a server write to."""

    def __init__(
        self,
        feeds: Mapping[str, Feed],
        retry: Retry,
        rest: BinanceRest,
        clock: ExchangeClock,
        settler: Settler,
    ) -> None:
        self._feeds = feeds
        self._store: AsyncStore = retry.store
        self._frames = Frames(retry)
        self._rest = rest
        self._clock = clock
        self._settler = settler

    @asynccontextmanager
    async def steady(self) -> AsyncIterator[None]:
        """No trade is on its way to the store meanwhile, and no minute is being settled."""
        async with self._settler.between_cycles, self._settler.watermark_lock:
            yield

    @asynccontextmanager
    async def taking(self, symbol: str) -> AsyncIterator[int]:
        """Around the storing of trades below an id, the first of the feed.

        Their minutes are recomputed when it ends, a day at a time.
        """
        feed = await self._opened(symbol)
        if feed is None or feed.continuity is None:
            yield MAX_FIXED
            return
        candles = self._store.candles
        # From this time on all trades are the feed's, so no older minute of it is shown.
        before_ms = bucket_start(min(feed.live.whole_from_ms, feed.live.watermark), 1)
        first_id = feed.continuity.first_id
        await self._store.begins.note(symbol, first_id)
        await candles.hold(symbol, before_ms)
        try:
            yield first_id
        finally:
            for since_ms, until_ms in (await candles.held(symbol)).get(symbol, ()):
                for start_ms in range(since_ms, until_ms, DAY_MS):
                    await self.recompute(symbol, start_ms, min(start_ms + DAY_MS, until_ms))
            await candles.release(symbol)

    async def recompute(self, symbol: str, since_ms: int, until_ms: int) -> None:
        """Write the candles of a span anew; what the feed has not closed yet it closes itself."""
        is_fed = symbol in self._feeds
        await self._store.candles.recompute({symbol: [(since_ms, until_ms)]}, close=not is_fed)

    async def settle(self, symbol: str, closed_ms: int) -> None:
        """Let the feed begin with the oldest trade from which on no id is missing."""
        feed = self._feeds.get(symbol)
        if feed is None:
            await Alone(self._store).settle(symbol, closed_ms)
        elif feed.continuity is not None:
            await self._take_over(feed, feed.continuity)

    def fetching(self, symbol: str, wanted: Gap) -> list[Gap]:
        """Those of some ids that the feed misses."""
        feed = self._feeds.get(symbol)
        if feed is None or feed.continuity is None:
            return []
        cut = (
            Gap(max(gap.from_id, wanted.from_id), min(gap.to_id, wanted.to_id))
            for gap in feed.continuity.gaps
        )
        return [gap for gap in cut if gap.missing > 0]

    def publish_from(self, symbol: str, time_ms: int) -> None:
        """Let those who watch a symbol have its candles from a time on again."""
        if (feed := self._feeds.get(symbol)) is not None:
            feed.state.publish_from(bucket_start(time_ms, 1))

    async def _opened(self, symbol: str) -> Feed | None:
        """The feed of a symbol once it is open; None when the symbol is not followed."""
        while True:
            feed = self._feeds.get(symbol)
            if feed is None or feed.state.is_open:
                return feed
            await asyncio.sleep(OPENED_SECONDS)

    async def _take_over(self, feed: Feed, continuity: Continuity) -> None:
        symbol, known_id = feed.symbol, continuity.first_id
        older = await self._older(symbol, known_id)
        if older.first_id >= known_id:
            return
        beside = await trades_beside(symbol, older.first_id, self._rest)
        from_ms = await whole_from(
            symbol, older.first_id, beside, None, self._store, self._rest, self._clock
        )
        from_ms = as_known(feed, older.first_id, from_ms, self._store)
        async with self._settler.watermark_lock:
            if feed.continuity is not continuity or continuity.first_id != known_id:
                return  # it was opened anew meanwhile, on all that is stored
            candles = self._store.candles
            if unsettled := await candles.unsettled({symbol: feed.live.watermark}):
                await candles.recompute(unsettled, close=False)
            await self._frames.rebase(feed, feed.live.frames.values(), from_ms)
            continuity.take_over(older.first_id, older.confirmed)
            feed.whole_first_id = older.first_id
            feed.revision += 1
        await self._store.begins.note(symbol, older.first_id)

    async def _older(self, symbol: str, end_id: int) -> Continuity:
        """The stored ids below one that hang together with it."""
        first_id = (await self._store.trades.bounds(symbol)).start
        if first_id >= end_id:
            return Continuity(end_id)
        holes = await self._store.trades.missing(symbol, first_id, end_id - 1)
        older = Continuity(first_id, end_id - 1, holes)
        for known in (await self._store.gaps.confirmed()).get(symbol, ()):
            older.confirm(known.gap)
        if older.gaps:
            older.forget(older.gaps[-1].to_id + 1)
        return older
