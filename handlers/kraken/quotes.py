"""The feed `spread`: the best bid and ask, which the ticker shows too."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress

from asyncapi_server import First, Hub, Update
from generated.kraken.facts import MarketFeed
from handlers.kraken import messages
from handlers.kraken.channels import Channel
from handlers.kraken.pairs import Pairs
from ingest.binance.quotes import Quote, QuoteStream
from ingest.core.errors import ExchangeError, NotReady
from ingest.pipeline.provider import Provider
from ingest.pipeline.shared_call import SharedCall

FEED = MarketFeed.SPREAD
ASK_SECONDS = 2.0
ASK_EVERY_SECONDS = 1.0
"""The exchange is asked for the quote of a symbol no more often."""
LINGER_SECONDS = 30.0
"""Quotes that nobody needs are followed for so long: who leaves and comes back costs nothing."""
SPREAD_SECONDS = 0.1
"""Of changes that follow each other faster than this the newest is published."""


class Quotes:
    """Follows the quotes of those symbols that somebody needs."""

    def __init__(self, provider: Provider, stream_url: str, pairs: Pairs, hub: Hub) -> None:
        self._provider = provider
        self._pairs = pairs
        self._hub = hub
        self._stream = QuoteStream(stream_url, self)
        self._needed: Counter[str] = Counter()
        self._newest: dict[str, tuple[Quote, int]] = {}
        """The quote of each symbol, and when it came (ms)."""
        self._changed: set[str] = set()
        self._asking: dict[str, SharedCall[None]] = {}
        self._leaving: dict[str, asyncio.TimerHandle] = {}

    @property
    def followed(self) -> frozenset[str]:
        """The symbols whose quotes are followed."""
        return frozenset(self._stream.symbols)

    def need(self, symbol: str) -> None:
        """Count one more that needs a symbol's quotes."""
        self._needed[symbol] += 1
        if (leaving := self._leaving.pop(symbol, None)) is not None:
            leaving.cancel()
        self._stream.add([symbol])

    def release(self, symbol: str) -> None:
        """Count one less; the quotes end some time after the last."""
        self._needed[symbol] -= 1
        if not self._needed[symbol]:
            del self._needed[symbol]
            loop = asyncio.get_running_loop()
            self._leaving[symbol] = loop.call_later(LINGER_SECONDS, self._end, symbol)

    def _end(self, symbol: str) -> None:
        del self._leaving[symbol]
        self._stream.remove([symbol])
        self._newest.pop(symbol, None)

    def newest(self, symbol: str) -> Quote | None:
        """The quote now, when it is known."""
        found = self._newest.get(symbol)
        return found[0] if found else None

    async def ask(self, symbol: str) -> Quote | None:
        """The quote now; asks the exchange while the stream has given none.

        None when it does not answer at once.
        """
        if symbol not in self._newest:
            with suppress(ExchangeError, TimeoutError):
                async with asyncio.timeout(ASK_SECONDS):
                    await self._ask(symbol)()
        return self.newest(symbol)

    def _ask(self, symbol: str) -> SharedCall[None]:
        async def ask() -> None:
            quote = await self._provider.rest.quote(symbol)
            if symbol in self._needed and symbol not in self._newest:
                self._newest[symbol] = quote, self._provider.clock.now_ms()

        return self._asking.setdefault(symbol, SharedCall(ask, ASK_EVERY_SECONDS))

    async def stop(self) -> None:
        """End the connections to the exchange."""
        for leaving in self._leaving.values():
            leaving.cancel()
        self._leaving.clear()
        await self._stream.close()

    def open(self, topic: Channel) -> None:
        """Follow a symbol."""
        self.need(topic.symbol)

    def close(self, topic: Channel) -> None:
        """Follow it no longer."""
        self.release(topic.symbol)

    async def first(self, topic: Channel, size: int) -> First | None:  # noqa: ARG002
        """The quote now."""
        quote = await self.ask(topic.symbol)
        return None if quote is None else First(self._message(topic))

    def on_quote(self, symbol: str, quote: Quote) -> None:
        """A quote of the exchange."""
        if quote == self.newest(symbol):
            return
        try:
            self._newest[symbol] = quote, self._provider.clock.now_ms()
        except NotReady:
            return
        if self._hub.subscribers(Channel(FEED, symbol)):
            if not self._changed:
                asyncio.get_running_loop().call_later(SPREAD_SECONDS, self._publish)
            self._changed.add(symbol)

    def on_quotes_lost(self, symbols: Iterable[str]) -> None:
        """The quotes of these symbols are not followed for now."""
        for symbol in symbols:
            self._newest.pop(symbol, None)

    def _publish(self) -> None:
        changed, self._changed = self._changed, set()
        self._hub.publish(
            Update(channel, self._message(channel))
            for channel in (Channel(FEED, symbol) for symbol in changed if symbol in self._newest)
        )

    def _message(self, channel: Channel) -> bytes:
        quote, time_ms = self._newest[channel.symbol]
        number = self._pairs.channel_number(channel)
        return messages.spread(number, self._pairs.of(channel.symbol), quote, time_ms)
