"""The feed `ticker`: quote, last trade, and the figures of the day and of the last 24 hours."""

from __future__ import annotations

import logging

from asyncapi_server import First, Hub, Update
from generated.kraken.facts import MarketFeed
from handlers.kraken import messages
from handlers.kraken.channels import Channel
from handlers.kraken.figures import Recent
from handlers.kraken.pairs import Pairs
from ingest.core.errors import CandlecastError
from ingest.pipeline.quotes import Quotes
from ingest.pipeline.view import MarketView

FEED = MarketFeed.TICKER

log = logging.getLogger(__name__)


class _Followed:
    """A symbol whose ticker is open."""

    def __init__(self, recent: Recent) -> None:
        self.recent = recent
        self.published = b""


class Tickers:
    """Publishes each ticker that has changed; `tick` has to be called once a second.

    The 24 hours are whole minutes: the running one and the 1439 before it.
    """

    def __init__(self, view: MarketView, quotes: Quotes, pairs: Pairs, hub: Hub) -> None:
        self._view = view
        self._quotes = quotes
        self._pairs = pairs
        self._hub = hub
        self._followed: dict[str, _Followed] = {}

    def open(self, topic: Channel) -> None:
        """Follow a symbol."""
        self._followed[topic.symbol] = _Followed(Recent(self._view, topic.symbol))
        self._quotes.need(topic.symbol)

    def close(self, topic: Channel) -> None:
        """Follow it no longer."""
        del self._followed[topic.symbol]
        self._quotes.release(topic.symbol)

    async def first(self, topic: Channel, size: int) -> First | None:  # noqa: ARG002
        """The figures now."""
        await self._quotes.ask(topic.symbol)
        followed = self._followed.get(topic.symbol)
        payload = None if followed is None else await self._message(topic, followed.recent)
        return None if payload is None else First(payload)

    async def tick(self) -> None:
        """Publish what has changed."""
        for symbol, followed in list(self._followed.items()):
            channel = Channel(FEED, symbol)
            if not self._hub.subscribers(channel):
                continue
            try:
                payload = await self._message(channel, followed.recent)
            except CandlecastError as error:
                log.warning("The ticker of %s has to wait: %s", symbol, error)
                continue
            if payload is not None and payload != followed.published:
                followed.published = payload
                self._hub.publish([Update(channel, payload)])

    async def _message(self, channel: Channel, recent: Recent) -> bytes | None:
        """The message, or None while it cannot be relied upon."""
        figures, heard = await recent.figures(), self._quotes.newest(channel.symbol)
        if heard is None or figures is None:
            return None
        pair, number = self._pairs.of(channel.symbol), self._pairs.channel_number(channel)
        return messages.ticker(number, pair, heard.quote, *figures)
