"""The feed `spread`: the best bid and ask."""

from __future__ import annotations

import asyncio

from asyncapi_server import First, Hub, Update
from generated.kraken.facts import MarketFeed
from handlers.kraken import messages
from handlers.kraken.channels import Channel
from handlers.kraken.pairs import Pairs
from ingest.pipeline.quotes import HeardQuote, Quotes

FEED = MarketFeed.SPREAD
SPREAD_SECONDS = 0.1
"""Of changes that follow each other faster than this the newest is published."""


class Spreads:
    """Publishes the quotes that change."""

    def __init__(self, quotes: Quotes, pairs: Pairs, hub: Hub) -> None:
        self._quotes = quotes
        self._pairs = pairs
        self._hub = hub
        self._changed: dict[str, HeardQuote] = {}

    def open(self, topic: Channel) -> None:
        """Follow a symbol."""
        self._quotes.listen(topic.symbol, self._hear)

    def close(self, topic: Channel) -> None:
        """Follow it no longer."""
        self._quotes.ignore(topic.symbol, self._hear)

    async def first(self, topic: Channel, size: int) -> First | None:  # noqa: ARG002
        """The quote now."""
        heard = await self._quotes.ask(topic.symbol)
        return None if heard is None else First(self._message(topic, heard))

    def _hear(self, symbol: str, heard: HeardQuote) -> None:
        if not self._changed:
            asyncio.get_running_loop().call_later(SPREAD_SECONDS, self._publish)
        self._changed[symbol] = heard

    def _publish(self) -> None:
        changed, self._changed = self._changed, {}
        self._hub.publish(
            Update(channel, self._message(channel, heard))
            for symbol, heard in changed.items()
            if self._hub.subscribers(channel := Channel(FEED, symbol))
        )

    def _message(self, channel: Channel, heard: HeardQuote) -> bytes:
        number = self._pairs.channel_number(channel)
        return messages.spread(number, self._pairs.of(channel.symbol), *heard)
