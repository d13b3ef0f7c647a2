"""Which symbols are followed: those of the settings, and those that were chosen since.

A symbol that a pattern matches is followed once the exchange trades it. One that the exchange has
no longer keeps its data; a witness is asked before that is believed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from typing import Protocol

from ingest.binance.answers import NO_SUCH_SYMBOL
from ingest.binance.now import now_s
from ingest.binance.rest import BinanceRest
from ingest.core.errors import ExchangeError, RequestRefused, SymbolLimit, UnknownSymbol
from ingest.core.symbol import Symbols

from .feed import Feed
from .listing import LIST_SECONDS, TRADING, Listing
from .retry import Retry

MAX_FOLLOWED = 3000
"""Symbols that are followed at most, if nothing else is said."""

log = logging.getLogger(__name__)


class Feeds(Protocol):
    """Those that follow symbols and end them."""

    def start(self, symbol: str) -> None:
        """Follow a symbol from now on."""

    def stop(self, symbol: str) -> Awaitable[None]:
        """Follow it no longer."""

    def finish(self, feed: Feed) -> Awaitable[None]:
        """Keep the data of a symbol that the exchange has no longer."""

    def resume(self, feed: Feed) -> None:
        """Follow a symbol again that the exchange has again."""


class Following:
    """Starts and ends feeds as the exchange lists symbols, and as somebody chooses them."""

    def __init__(
        self,
        chosen: Symbols,
        listing: Listing,
        rest: BinanceRest,
        retry: Retry,
        feeds: Mapping[str, Feed],
        work: Feeds,
        limit: int = MAX_FOLLOWED,
    ) -> None:
        """`work` keeps `feeds` up to date, of which there are at most `limit`."""
        self._chosen = chosen
        self._choices: dict[str, bool] = {}
        self._listing = listing
        self._rest = rest
        self._retry = retry
        self._feeds = feeds
        self._work = work
        self._limit = limit
        self._is_full = False
        self._changing = asyncio.Lock()

    def is_wanted(self, symbol: str) -> bool:
        """Whether a symbol is to be followed, if the exchange has it."""
        return self._choices.get(symbol, symbol in self._chosen)

    async def begin(self) -> None:
        """Follow what is known without the exchange: names, choices, and what the store holds."""
        self._choices = await self._retry(self._retry.store.choices.all)
        for symbol in [symbol for symbol in self._feeds if not self.is_wanted(symbol)]:
            await self._work.stop(symbol)
        held = sorted(self._retry.store.trades.symbols)
        self._start([*self._choices, *held])

    async def run(self) -> None:
        """Follow what the exchange lists, until cancelled."""
        while True:
            try:
                await self._listing.keep()
            except ExchangeError as error:
                log.warning("The symbols of the exchange are not known: %s", error)
            else:
                async with self._changing:
                    await self._update()
            await asyncio.sleep(max(self._listing.ask_again_at - now_s(), LIST_SECONDS / 10))

    async def follow(self, symbol: str) -> None:
        """Follow a symbol from now on, also after a restart.

        Raises NotListed, ExchangeError, StoreUnavailable, and SymbolLimit where there are as many
        as there may be.
        """
        async with self._changing:
            if symbol not in self._feeds:
                if len(self._feeds) >= self._limit:
                    raise SymbolLimit(self._limit)
                await self._listing.require_now(symbol)
            await self._choose(symbol, is_followed=True)
            if symbol not in self._feeds:
                log.info("%s is followed from now on", symbol, extra={"symbol": symbol})
                self._work.start(symbol)

    async def end(self, symbol: str) -> None:
        """Follow a symbol no longer, also after a restart; its data is kept.

        Raises UnknownSymbol and StoreUnavailable.
        """
        async with self._changing:
            if symbol not in self._feeds:
                raise UnknownSymbol(symbol)
            await self._choose(symbol, is_followed=False)
            log.info("%s is followed no longer", symbol, extra={"symbol": symbol})
            await self._work.stop(symbol)

    async def choose(self, symbols: Symbols) -> None:
        """Follow these from now on, but for what was chosen by name; what patterns match joins with
        the next list of the exchange."""
        async with self._changing:
            self._chosen = symbols
            self._listing.choose(symbols)
            for symbol in [each for each in self._feeds if not self.is_wanted(each)]:
                log.info("%s is followed no longer", symbol, extra={"symbol": symbol})
                await self._work.stop(symbol)
            self._start([*symbols.names, *sorted(self._retry.store.trades.symbols)])

    async def _choose(self, symbol: str, *, is_followed: bool) -> None:
        if self._choices.get(symbol) is not is_followed:
            await self._retry.store.choices.note(symbol, is_followed=is_followed)
            self._choices[symbol] = is_followed

    async def _update(self) -> None:
        """Follow what is listed now, and keep what was delisted."""
        trading = [one.symbol for one in self._listing.listed if one.status == TRADING]
        self._start(trading)
        absent = self._listing.absent
        for symbol, feed in list(self._feeds.items()):
            if feed.state.is_ended and symbol not in absent:
                log.info("%s is listed again", symbol, extra={"symbol": symbol})
                self._work.resume(feed)
            elif symbol in absent and self._goes_on(feed) and await self._is_gone(symbol):
                log.warning(
                    "%s is delisted: its data is kept, and no more comes",
                    symbol,
                    extra={"symbol": symbol},
                )
                await self._work.finish(feed)

    def _start(self, symbols: list[str]) -> None:
        new = [each for each in symbols if each not in self._feeds and self.is_wanted(each)]
        new = [*dict.fromkeys(new)]
        room = max(0, self._limit - len(self._feeds))
        for symbol in new[:room]:
            self._work.start(symbol)
        if new[:room]:
            log.info("%d more symbols are followed, such as %s", len(new[:room]), new[0])
        if len(new) > room and not self._is_full:
            log.error(
                "%d symbols are not followed, such as %s: %d is the most there may be"
                " (CANDLECAST_MAX_SYMBOLS)",
                *(len(new) - room, new[room], self._limit),
            )
        self._is_full = len(new) > room

    @staticmethod
    def _goes_on(feed: Feed) -> bool:
        return feed.state.is_open and not feed.state.is_ended

    async def _is_gone(self, symbol: str) -> bool:
        """Whether the exchange refuses a symbol by its name too; a list alone may be cut short."""
        try:
            await self._rest.newest(symbol)
        except RequestRefused as refusal:
            return refusal.code == NO_SUCH_SYMBOL
        except ExchangeError:
            return False
        return False
