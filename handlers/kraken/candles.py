"""The feed `ohlc`: candles of the intervals that Kraken has."""

from __future__ import annotations

from collections.abc import Iterable

from handlers.kraken import messages
from handlers.kraken.channels import Channel
from handlers.kraken.pairs import Pairs
from ingest.core.candle import Candle
from ingest.core.timeframe import bucket_start, width_ms
from ingest.pipeline.feed import Feed
from ingest.pipeline.pair import Pair as Watch
from ingest.pipeline.provider import Provider
from wsrouter import Hub, Update

FEED = "ohlc"
LATEST = 10
"""Newest candles that are looked at for one with trades before the store is asked."""


class Candles:
    """Tells of the candles that the stream's clockwork has found to be new or changed."""

    def __init__(self, provider: Provider, pairs: Pairs, hub: Hub) -> None:
        self._provider = provider
        self._pairs = pairs
        self._hub = hub
        self._told: dict[Channel, Candle] = {}

    def open(self, channel: Channel) -> None:
        """Begin to follow a timeframe."""
        self._provider.watches.retain(Watch(channel.symbol, channel.interval))

    def close(self, channel: Channel) -> None:
        """Follow it no longer."""
        self._told.pop(channel, None)
        feed = self._provider.feed(channel.symbol)
        self._provider.watches.release(feed, Watch(channel.symbol, channel.interval))

    async def first(self, channel: Channel) -> bytes | None:
        """The last candle that has trades, however old it is."""
        provider = self._provider
        feed, timeframe = provider.feed(channel.symbol), channel.interval
        await provider.watches.prepared(feed, Watch(feed.symbol, timeframe))
        latest = await provider.watches.history(feed, timeframe, LATEST)
        busy = [candle for candle in latest if not candle.is_flat]
        if latest and not busy:
            busy = await self._last_busy(feed, timeframe)
        return self._message(channel, feed, busy[-1]) if busy else None

    async def _last_busy(self, feed: Feed, timeframe: int) -> list[Candle]:
        store = self._provider.store
        minute = await store.run(store.candles.watermark, feed.symbol)
        if minute is None:
            return []
        end = bucket_start(minute, timeframe) + width_ms(timeframe)
        return await store.run(store.candles.read, feed.symbol, timeframe, end, 1)

    def tell(self, feed: Feed, timeframe: int, candles: Iterable[Candle]) -> None:
        """Publish candles of a symbol, oldest first, leaving out what was told last."""
        channel = Channel(FEED, feed.symbol, timeframe)
        if not self._hub.subscribers(channel):
            return
        updates = []
        for candle in candles:
            if candle != self._told.get(channel):
                payload = self._message(channel, feed, candle)
                updates.append(Update(channel, payload, candle.candle_time))
                self._told[channel] = candle
        self._hub.publish(updates)

    def _message(self, channel: Channel, feed: Feed, candle: Candle) -> bytes:
        number = self._pairs.number(feed.symbol) + channel.offset
        pair = self._pairs.of(feed.symbol)
        return messages.ohlc(channel, number, pair, candle, feed.live.newest_ms)
