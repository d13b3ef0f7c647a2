"""The feed `ticker`: quote, last trade, and the figures of the day and of the last 24 hours."""

from __future__ import annotations

import logging

from handlers.kraken import messages
from handlers.kraken.channels import Channel
from handlers.kraken.pairs import Pairs
from handlers.kraken.quotes import Quotes
from ingest.core.errors import CandlecastError
from ingest.core.status import Quality
from ingest.core.timeframe import MINUTE_MS, bucket_start
from ingest.core.window import MinuteWindow
from ingest.pipeline.feed import Feed
from ingest.pipeline.provider import Provider
from wsrouter import Hub, Update

FEED = "ticker"
DAY_MINUTES = 1440

log = logging.getLogger(__name__)


class _Following:
    """What is kept of a symbol while its ticker is wanted."""

    def __init__(self) -> None:
        self.window = MinuteWindow()
        self.revision = -1
        """The feed's revision that the window was read at."""
        self.told = b""


class Tickers:
    """Tells of each followed ticker that has changed; `tick` has to be called once a second.

    The 24 hours are whole minutes: the running one and the 1439 before it.
    """

    def __init__(self, provider: Provider, quotes: Quotes, pairs: Pairs, hub: Hub) -> None:
        self._provider = provider
        self._quotes = quotes
        self._pairs = pairs
        self._hub = hub
        self._followed: dict[str, _Following] = {}

    def open(self, channel: Channel) -> None:
        """Begin to follow a symbol."""
        self._followed[channel.symbol] = _Following()
        self._quotes.need(channel.symbol)

    def close(self, channel: Channel) -> None:
        """Follow it no longer."""
        del self._followed[channel.symbol]
        self._quotes.release(channel.symbol)

    async def first(self, channel: Channel) -> bytes | None:
        """The figures now."""
        await self._quotes.ask(channel.symbol)
        following = self._followed.get(channel.symbol)
        return None if following is None else await self._figures(channel, following)

    async def tick(self) -> None:
        """Publish what has changed."""
        for symbol, following in list(self._followed.items()):
            channel = Channel(FEED, symbol)
            if not self._hub.subscribers(channel):
                continue
            try:
                payload = await self._figures(channel, following)
            except CandlecastError as error:
                log.warning("The ticker of %s has to wait: %s", symbol, error)
                continue
            if payload is not None and payload != following.told:
                following.told = payload
                self._hub.publish([Update(channel, payload)])

    async def _figures(self, channel: Channel, following: _Following) -> bytes | None:
        """The message, or None while it cannot be relied upon."""
        feed = self._provider.feed(channel.symbol)
        now_ms = max(feed.shown_ms(self._provider.clock.now_ms()), feed.live.newest_ms)
        day_ms = bucket_start(now_ms, 1) - (DAY_MINUTES - 1) * MINUTE_MS
        while not await self._is_read(feed, following, day_ms):
            pass
        if feed.status.quality is not Quality.COMPLETE:
            return None
        quote, last, live = self._quotes.newest(feed.symbol), feed.last_trade, feed.live.minutes
        today = following.window.since(bucket_start(now_ms, DAY_MINUTES), live)
        day = following.window.since(day_ms, live)
        if quote is None or last is None or today is None or day is None:
            return None
        number = self._pairs.number(feed.symbol) + channel.offset
        pair = self._pairs.of(feed.symbol)
        return messages.ticker(channel, number, pair, quote, last, today, day)

    async def _is_read(self, feed: Feed, following: _Following, start: int) -> bool:
        """Read what the window lacks; returns whether it lacked nothing.

        So a window is used only at a moment at which it ends where the live minutes begin.
        """
        window, until, revision = following.window, feed.live.watermark, feed.revision
        since = window.until if following.revision == revision else 0
        if since == until:
            return True
        since = max(since, start)
        count = max(0, until - since) // MINUTE_MS
        store = self._provider.store
        minutes = await store.run(store.candles.read, feed.symbol, 1, until, count)
        if (feed.live.watermark, feed.revision) == (until, revision):
            window.take(minutes, until, start)
            following.revision = revision
        return False
