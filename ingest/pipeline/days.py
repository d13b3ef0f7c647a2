"""The latest 24 hours of every symbol, read together: what a list of all symbols shows.

One statement serves all symbols, once a minute; live minutes are merged in on each question.
`pipeline.day` has the figures of one symbol, over a span that its history covers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

from generated.native.facts import DataQuality
from ingest.binance.clock import ExchangeClock
from ingest.core.candle import Candle, merged
from ingest.core.interval import DAY
from ingest.core.timeframe import MINUTE_MS, bucket_start, first_bucket
from ingest.storage import AsyncStore

from .feed import Feed


class _Stored(NamedTuple):
    """The stored minutes of a symbol as one candle, and what it holds for."""

    watermark: int
    revision: int
    whole_from_ms: int
    since: int
    total: Candle | None


class Days:
    """The sums of the latest 24 hours, or since the history of a symbol begins."""

    def __init__(
        self,
        feeds: Mapping[str, Feed],
        store: AsyncStore,
        clock: ExchangeClock,
        watermark_lock: asyncio.Lock,
    ) -> None:
        """`watermark_lock` is held while a watermark moves."""
        self._feeds = feeds
        self._store = store
        self._clock = clock
        self._watermark_lock = watermark_lock
        self._stored: dict[str, _Stored] = {}

    async def refresh(self) -> None:
        """Read the symbols of which anything was settled since. Raises StoreUnavailable."""
        if not any(map(self._is_stale, self._feeds.values())):
            return
        async with self._watermark_lock:
            self._stored = {s: kept for s, kept in self._stored.items() if s in self._feeds}
            stale = [feed for feed in self._feeds.values() if self._is_stale(feed)]
            start = bucket_start(self._clock.now_ms(), 1) - (DAY - 1) * MINUTE_MS
            state = {feed.symbol: self._state(feed, start) for feed in stale}
            since = {symbol: one.since for symbol, one in state.items()}
            totals = await self._store.candles.totals(since)
            for symbol, one in state.items():
                self._stored[symbol] = one._replace(total=totals.get(symbol))

    def total(self, feed: Feed) -> Candle | None:
        """All of a symbol's minutes as one candle, whose time is their start.

        None while its data is not complete, has to be read again, or has no trade.
        """
        stored = self._stored.get(feed.symbol)
        if stored is None or feed.status.quality is not DataQuality.COMPLETE:
            return None
        if self._is_stale(feed):
            return None
        total = stored.total
        for time, candle in feed.live.minutes.items():
            if time >= stored.since:
                parts = (candle,) if total is None else (total, candle)
                total = merged(parts, stored.since)
        return total

    def _is_stale(self, feed: Feed) -> bool:
        if feed.status.quality is not DataQuality.COMPLETE:
            return False
        stored = self._stored.get(feed.symbol)
        live = feed.live
        return stored is None or stored[:3] != (live.watermark, feed.revision, live.whole_from_ms)

    @staticmethod
    def _state(feed: Feed, start: int) -> _Stored:
        live = feed.live
        since = max(start, first_bucket(live.whole_from_ms, 1))
        return _Stored(live.watermark, feed.revision, live.whole_from_ms, since, None)
