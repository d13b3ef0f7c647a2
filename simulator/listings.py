"""Lists and delists symbols while the exchange runs."""

import re
from collections.abc import Callable
from typing import Final

from simulator import assets
from simulator.clock import Clock
from simulator.errors import SimulatorError
from simulator.feed import Feed
from simulator.lies import Lies
from simulator.market import Market
from simulator.seeded import HOUR_US
from simulator.spans import Since
from simulator.ticker import Minutes
from simulator.trades import Source

_SYMBOL: Final = re.compile(r"[^\Wa-z]{1,20}")

MakeSource = Callable[[assets.Asset, int, float | None], Source]
"""Makes the trades of an asset from a full hour on; at a rate, or at that of the exchange."""


class Listings:
    """The symbols of an exchange: it adds and removes them everywhere at once."""

    def __init__(
        self,
        markets: dict[str, Market],
        minutes: dict[str, Minutes],
        feed: Feed,
        lies: Lies,
        clock: Clock,
        make_source: MakeSource,
    ) -> None:
        self._markets = markets
        self._minutes = minutes
        self._feed = feed
        self._lies = lies
        self._clock = clock
        self._make_source = make_source

    def list(self, symbol: str, rate: float | None = None) -> None:
        """Begin the trading of a new symbol, with ids from 0."""
        if not _SYMBOL.fullmatch(symbol):
            raise SimulatorError(f"{symbol!r} is no symbol such as BTCUSDT")
        if symbol in self._markets:
            raise SimulatorError(f"{symbol} is listed already: delist and remove it first")
        asset, now = assets.asset(symbol), self._clock.now()
        market = Market(asset, Since(self._make_source(asset, now // HOUR_US * HOUR_US, rate), now))
        self._markets[symbol] = market
        self._minutes[symbol] = Minutes(market)
        self._feed.add(market, self._minutes[symbol]).start(now)

    def delist(self, symbol: str) -> None:
        """End the trading of a symbol; REST keeps what there was, with the status BREAK."""
        market = self.market(symbol)
        if market.ended_us is not None:
            raise SimulatorError(f"{symbol} is delisted already: remove it")
        market.end(self._clock.now())
        self._feed[symbol].forget_ahead()

    def remove(self, symbol: str) -> None:
        """Forget a delisted symbol: it is as unknown as any other."""
        market = self.market(symbol)
        if market.ended_us is None:
            raise SimulatorError(f"{symbol} is trading: delist it first")
        self._feed.remove(symbol)
        self._lies.heal(symbol)
        del self._markets[symbol], self._minutes[symbol]

    def market(self, symbol: str) -> Market:
        """Return the market of a symbol that is listed."""
        if symbol not in self._markets:
            raise SimulatorError(f"no symbol {symbol!r} here")
        return self._markets[symbol]
