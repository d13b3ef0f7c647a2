"""The candles that change, as soon as they do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence

from ingest.core.candle import Candle
from ingest.core.timeframe import MINUTE_MS
from ingest.core.trade import Trade

from .pair import Pair
from .view import MarketView
from .watches import Follower

DELAY_SECONDS = 0.1
"""A trade is in a report so long after it came, or at the end of its minute."""


class Changes:
    """Reports the candles of pairs that change; `tick` has to be called once a second.

    A trade has the candles of its symbol reported by itself. The tick adds those that begin without
    a trade, and those that are corrected.
    """

    def __init__(self, view: MarketView, report: Callable[[Pair, Sequence[Candle]], None]) -> None:
        """`report` is called with the changed candles of a pair, oldest first; it must not wait."""
        self._view = view
        self._report = report
        self._followers: dict[Pair, Follower] = {}
        self._due: dict[str, asyncio.TimerHandle] = {}
        """The next report of each symbol of which a trade has come."""

    def open(self, pair: Pair) -> None:
        """Follow a pair; raises UnknownSymbol."""
        if not self._of(pair.symbol):
            self._view.listen(pair.symbol, self._heard)
        self._followers[pair] = self._view.follow(pair)

    def close(self, pair: Pair) -> None:
        """Follow it no longer."""
        self._followers.pop(pair).close()
        if not self._of(pair.symbol):
            self._view.ignore(pair.symbol, self._heard)

    async def ready(self, pair: Pair) -> None:
        """Wait until a pair is followed live; that takes as long as the store is away."""
        await self._followers[pair].ready()

    def tick(self) -> None:
        """Report what has changed."""
        self.flush(list(self._followers))

    def flush(self, pairs: Collection[Pair]) -> None:
        """Report what has changed of some pairs."""
        for pair in pairs:
            follower = self._followers.get(pair)
            candles = follower.changes() if follower is not None else ()
            if candles:
                self._report(pair, candles)

    def _of(self, symbol: str) -> list[Pair]:
        return [pair for pair in self._followers if pair.symbol == symbol]

    def _heard(self, symbol: str, trades: Sequence[Trade]) -> None:
        if symbol not in self._due:
            rest = (MINUTE_MS - trades[-1].timestamp % MINUTE_MS) / 1000
            loop = asyncio.get_running_loop()
            self._due[symbol] = loop.call_later(min(DELAY_SECONDS, rest), self._flush, symbol)

    def _flush(self, symbol: str) -> None:
        del self._due[symbol]
        self.flush(self._of(symbol))
