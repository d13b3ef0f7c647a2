"""Lets go of what is older than it is to be kept, by the exchange's clock, a day at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from generated.native.facts import DataQuality
from ingest.binance.clock import ExchangeClock
from ingest.core.keep import Keep

from .feed import Feed
from .retry import Retry
from .settle import Settler

CYCLE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Kept:
    """How long trades and candles are kept."""

    trades: Keep = field(default_factory=Keep)
    candles: Keep = field(default_factory=Keep)


class Expiry:
    """Draws the line of each symbol anew when a day has ended."""

    def __init__(self, retry: Retry, settler: Settler, clock: ExchangeClock, kept: Kept) -> None:
        self._retry = retry
        self._settler = settler
        self._clock = clock
        self._kept = kept

    async def run(self, feeds: Mapping[str, Feed]) -> None:
        """Expire until cancelled."""
        while True:
            for feed in list(feeds.values()):
                if feed.status.quality is DataQuality.COMPLETE:
                    await self._expire(feed)
            await asyncio.sleep(CYCLE_SECONDS)

    async def _expire(self, feed: Feed) -> None:
        symbol, now_ms = feed.symbol, self._clock.now_ms()
        trades_since = self._kept.trades.since_ms(symbol, now_ms)
        candles_since = self._kept.candles.since_ms(symbol, now_ms)
        retention = self._retry.store.retention
        line = retention.line(symbol)
        if trades_since <= line.trades_since_ms and candles_since <= line.candles_since_ms:
            return
        async with self._settler.watermark_lock:
            await self._retry(
                retention.expire,
                symbol,
                trades_since,
                candles_since,
                feed.live.whole_from_ms,
                0 if feed.continuity is None else feed.continuity.first_id,
            )
            line = retention.line(symbol)
            feed.live.whole_from_ms = max(feed.live.whole_from_ms, line.candles_since_ms)
            if feed.continuity is not None:
                feed.continuity.forget(line.first_id)
