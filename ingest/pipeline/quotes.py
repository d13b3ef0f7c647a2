"""The best bid and ask of those symbols that somebody needs."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple

from ingest.binance.clock import ExchangeClock
from ingest.binance.network import Network
from ingest.binance.quotes import Quote, QuoteStream
from ingest.binance.rest import BinanceRest
from ingest.core.errors import ExchangeError, NotReady

from .shared_call import SharedCall

ASK_SECONDS = 2.0
ASK_EVERY_SECONDS = 1.0
"""The exchange is asked for the quote of a symbol, or for all quotes, no more often."""
LINGER_SECONDS = 30.0
"""Quotes that nobody needs are followed for so long: who leaves and comes back costs nothing."""


class HeardQuote(NamedTuple):
    """A quote, and the exchange's time when it came, in milliseconds."""

    quote: Quote
    time_ms: int


QuoteListener = Callable[[str, HeardQuote], None]


class Quotes:
    """Follows the quotes of symbols over one stream for all that need them."""

    def __init__(
        self, stream_url: str, rest: BinanceRest, clock: ExchangeClock, network: Network | None
    ) -> None:
        """`network` reaches the exchange."""
        self._rest = rest
        self._clock = clock
        self._stream = QuoteStream(stream_url, self, network=network)
        self._needed: Counter[str] = Counter()
        self._newest: dict[str, HeardQuote] = {}
        self._listeners: defaultdict[str, list[QuoteListener]] = defaultdict(list)
        self._asking: dict[str, SharedCall[None]] = {}
        self._asking_all = SharedCall(rest.quotes, ASK_EVERY_SECONDS)
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

    def listen(self, symbol: str, listener: QuoteListener) -> None:
        """Need a symbol's quotes, and call `listener` with each that differs from the one before.

        It must neither wait nor raise.
        """
        self.need(symbol)
        self._listeners[symbol].append(listener)

    def ignore(self, symbol: str, listener: QuoteListener) -> None:
        """Call a listener no longer."""
        self._listeners[symbol].remove(listener)
        self.release(symbol)

    def newest(self, symbol: str) -> HeardQuote | None:
        """The quote now, when it is known."""
        return self._newest.get(symbol)

    async def ask(self, symbol: str) -> HeardQuote | None:
        """The quote now; asks the exchange while the stream has given none.

        None when it does not answer at once.
        """
        if symbol not in self._newest:
            with suppress(ExchangeError, TimeoutError):
                async with asyncio.timeout(ASK_SECONDS):
                    await self._ask(symbol)()
        return self.newest(symbol)

    async def ask_all(self, symbols: Collection[str]) -> Mapping[str, Quote]:
        """The quotes of some symbols now; one request serves whatever the stream has not given.

        Raises NotReady when the exchange does not answer at once; a symbol that it has no quote of
        is left out.
        """
        known = {name: self._newest[name].quote for name in symbols if name in self._newest}
        if len(known) == len(symbols):
            return known
        try:
            async with asyncio.timeout(ASK_SECONDS):
                asked = await self._asking_all()
        except (ExchangeError, TimeoutError):
            raise NotReady("The exchange does not answer for its quotes; try again") from None
        return {name: asked[name] for name in symbols if name in asked} | known

    async def close(self) -> None:
        """End the connections to the exchange."""
        for leaving in self._leaving.values():
            leaving.cancel()
        self._leaving.clear()
        await self._stream.close()

    def on_quote(self, symbol: str, quote: Quote) -> None:
        """A quote of the exchange."""
        known = self._newest.get(symbol)
        if known is not None and quote.offers == known.quote.offers:
            return
        try:
            heard = HeardQuote(quote, self._clock.now_ms())
        except NotReady:
            return
        self._newest[symbol] = heard
        for listener in self._listeners.get(symbol, ()):
            listener(symbol, heard)

    def on_quotes_lost(self, symbols: Iterable[str]) -> None:
        """The quotes of these symbols are not followed for now."""
        for symbol in symbols:
            self._newest.pop(symbol, None)

    def _end(self, symbol: str) -> None:
        del self._leaving[symbol]
        self._stream.remove([symbol])
        self._newest.pop(symbol, None)
        self._listeners.pop(symbol, None)

    def _ask(self, symbol: str) -> SharedCall[None]:
        async def ask() -> None:
            quote = await self._rest.quote(symbol)
            if symbol in self._needed and symbol not in self._newest:
                self._newest[symbol] = HeardQuote(quote, self._clock.now_ms())

        return self._asking.setdefault(symbol, SharedCall(ask, ASK_EVERY_SECONDS))
