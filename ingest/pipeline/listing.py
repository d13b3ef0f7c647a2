"""Which of the followed symbols the exchange has, and what it says of each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from ingest.binance.answers import SymbolInfo
from ingest.binance.now import now_s
from ingest.binance.rest import BinanceRest
from ingest.core.errors import ExchangeError, ExchangeUnavailable, NotListed

RELIST_SECONDS = 300.0
"""A symbol that the exchange does not have is asked for again after so long."""

NOT_LISTED = "NOT_LISTED"
UNKNOWN = "UNKNOWN"
"""States of a market that the exchange does not have, and of one before it was asked."""

FAILURE_SECONDS = 1.0
"""An exchange that has not answered is asked again after so long, by one for all symbols."""

log = logging.getLogger(__name__)


class Listing:
    """The markets of the followed symbols, each asked for until the exchange has it."""

    def __init__(self, rest: BinanceRest, symbols: Sequence[str]) -> None:
        self.markets: dict[str, SymbolInfo] = {}
        """The symbols that the exchange has; empty until it was asked."""
        self.absent: frozenset[str] = frozenset()
        """Symbols that the exchange says it does not have."""
        self.is_simulated = False
        """Whether the exchange says that it is none."""
        self._rest = rest
        self._symbols = symbols
        self._asking = asyncio.Lock()
        self._ask_again_at = 0.0
        self._failure: str | None = None

    def status(self, symbol: str) -> str:
        """The state of a market as the exchange reports it."""
        if symbol in self.absent:
            return NOT_LISTED
        market = self.markets.get(symbol)
        return market.status if market is not None else UNKNOWN

    async def ask(self) -> None:
        """Ask for all symbols that are not known yet. Raises ExchangeError."""
        wanted = [symbol for symbol in self._symbols if symbol not in self.markets]
        try:
            info = await self._rest.exchange_info(wanted)
        except ExchangeError as error:
            self._failure = str(error)
            self._ask_again_at = now_s() + FAILURE_SECONDS
            raise
        self._failure = None
        self.markets.update(info.symbols)
        self.is_simulated |= info.is_simulated
        absent = frozenset(wanted) - self.markets.keys()
        if absent - self.absent:
            log.error(
                "The exchange has no symbol %s: correct CANDLECAST_SYMBOLS",
                ", ".join(sorted(absent)),
            )
        self.absent = absent
        self._ask_again_at = now_s() + RELIST_SECONDS

    async def require(self, symbol: str) -> None:
        """Have the market of a symbol known. Raises NotListed and ExchangeError."""
        async with self._asking:
            if symbol not in self.markets and now_s() >= self._ask_again_at:
                await self.ask()
        if symbol not in self.markets:
            raise NotListed(symbol) if self._failure is None else ExchangeUnavailable(self._failure)
