"""Which of the followed symbols the exchange has, and what it says of each."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Collection
from contextlib import suppress

from ingest.binance.answers import SymbolInfo
from ingest.binance.now import now_s
from ingest.binance.rest import BinanceRest
from ingest.core.errors import ExchangeError, ExchangeUnavailable, NotListed
from ingest.core.symbol import Symbols

LIST_SECONDS = 25.0
"""From one question for the symbols to the next."""
RELIST_SECONDS = 300.0
"""A symbol that the whole list lacks is asked for by its name again after so long."""

FAILURE_SECONDS = 1.0
"""An exchange that has not answered is asked again after so long, by one for all symbols."""

MISSED_ANSWERS = 2
"""A symbol that was listed is taken to be gone when so many answers in a row lack it."""

NOT_LISTED = "NOT_LISTED"
UNKNOWN = "UNKNOWN"
"""States of a market that the exchange does not have, and of one before it was asked."""
TRADING = "TRADING"

log = logging.getLogger(__name__)


class Listing:
    """The markets of the symbols that are followed, or that patterns match."""

    def __init__(self, rest: BinanceRest, chosen: Symbols, followed: Collection[str]) -> None:
        """`followed` are asked for beside those that `chosen` has patterns for; it may change."""
        self.markets: dict[str, SymbolInfo] = {}
        """The symbols that the exchange has or had; empty until it was asked."""
        self.absent: frozenset[str] = frozenset()
        """Symbols that the exchange says it does not have."""
        self.is_simulated = False
        """Whether the exchange says that it is none."""
        self._rest = rest
        self._chosen = chosen
        self._followed = followed
        self._missed: Counter[str] = Counter()
        self._by_name: set[str] = set()
        """Symbols that the whole list lacks, though the exchange has them."""
        self._asking = asyncio.Lock()
        self._answered = asyncio.Event()
        self._ask_again_at = self._name_again_at = 0.0
        self._failure: str | None = None

    def choose(self, symbols: Symbols) -> None:
        """Have these in the next answer, which is asked for as soon as it may be."""
        self._chosen = symbols
        self._ask_again_at = 0.0

    def status(self, symbol: str) -> str:
        """The state of a market as the exchange reports it."""
        if symbol in self.absent:
            return NOT_LISTED
        market = self.markets.get(symbol)
        return market.status if market is not None else UNKNOWN

    @property
    def ask_again_at(self) -> float:
        """When the exchange is to be asked next, in monotonic seconds."""
        return self._ask_again_at

    @property
    def listed(self) -> list[SymbolInfo]:
        """The markets that the exchange has, in the order of its last answer."""
        return [one for symbol, one in self.markets.items() if not self._missed[symbol]]

    async def ask(self, *extra: str) -> None:
        """Ask for all symbols, and for some more by their names. Raises ExchangeError."""
        wanted = [*dict.fromkeys((*self._followed, *extra))]
        try:
            found = await self._found(wanted, extra)
        except ExchangeError as error:
            self._failure = str(error)
            self._ask_again_at = now_s() + FAILURE_SECONDS
            raise
        self._failure = None
        self._missed.update(self.markets.keys() - found.keys())
        for symbol in found:
            del self._missed[symbol]
        self.markets.update(found)
        absent = frozenset(symbol for symbol in wanted if self._is_absent(symbol))
        if absent - self.absent:
            log.error("The exchange has no symbol %s", ", ".join(sorted(absent - self.absent)))
        self.absent = absent
        self._ask_again_at = now_s() + LIST_SECONDS
        self._answered.set()
        self._answered = asyncio.Event()

    def traded(self, symbol: str) -> None:
        """A trade has come: the exchange has this symbol, whatever its lists say."""
        if symbol in self.markets:
            del self._missed[symbol]
            self.absent -= {symbol}

    async def require(self, symbol: str) -> None:
        """Have the market of a symbol known. Raises NotListed and ExchangeError."""
        async with self._asking:
            if symbol not in self.markets and now_s() >= self._ask_again_at:
                await self.ask()
        if symbol not in self.markets or symbol in self.absent:
            raise NotListed(symbol) if self._failure is None else ExchangeUnavailable(self._failure)

    async def require_now(self, symbol: str) -> None:
        """Ask for a symbol that may have been listed just now. Raises the same."""
        async with self._asking:
            await self.ask(symbol)
        if self._missed[symbol] or symbol not in self.markets:
            raise NotListed(symbol)

    async def keep(self) -> None:
        """Have an answer that is not older than the pause between two. Raises ExchangeError."""
        async with self._asking:
            if now_s() >= self._ask_again_at:
                await self.ask()

    async def answered(self) -> None:
        """Wait for the next answer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(RELIST_SECONDS):
                await self._answered.wait()

    def _is_absent(self, symbol: str) -> bool:
        return symbol not in self.markets or self._missed[symbol] >= MISSED_ANSWERS

    async def _found(
        self, wanted: Collection[str], extra: Collection[str]
    ) -> dict[str, SymbolInfo]:
        """The markets that the exchange has, of those that are wanted or match a pattern.

        With patterns, or while some are absent, the whole list is asked for. It leaves out markets
        of some kinds, so those that it lacks are asked for by name too: each time where that has
        found them, else now and then.
        """
        if not self._chosen.patterns and not self.absent:
            info = await self._rest.exchange_info(list(wanted))
            self.is_simulated |= info.is_simulated
            return info.symbols
        info = await self._rest.whole_exchange_info(
            lambda symbol: symbol in wanted or symbol in self._chosen
        )
        self.is_simulated |= info.is_simulated
        lacking = [symbol for symbol in wanted if symbol not in info.symbols]
        if now_s() < self._name_again_at:
            lacking = [each for each in lacking if each in extra or each in self._by_name]
        else:
            self._name_again_at = now_s() + RELIST_SECONDS
        named = await self._rest.exchange_info(lacking)
        self._by_name |= named.symbols.keys()
        return info.symbols | named.symbols
