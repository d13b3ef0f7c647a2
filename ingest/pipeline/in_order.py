"""Trades in the order of their ids, none left out."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from generated.native.facts import DataQuality
from ingest.core.trade import Trade

from .view import MarketView

MAX_HELD = 20_000
"""Trades of a symbol that wait for its data to be complete; of more the newest are kept."""


class InOrder:
    """Hands over the trades that come over the stream, when none before them is missing.

    Taking trades in must not wait for that, so it happens when the event loop comes round.
    """

    def __init__(
        self, view: MarketView, handle: Callable[[Mapping[str, list[Trade]]], None]
    ) -> None:
        """`handle` is called with trades by symbol, tombstones apart; it must not wait."""
        self._view = view
        self._handle = handle
        self._held: defaultdict[str, list[Trade]] = defaultdict(list)
        self._is_due = False
        view.on_complete.append(lambda _: self._schedule())

    def open(self, symbol: str) -> None:
        """Listen to a symbol."""
        self._view.listen(symbol, self._hear)

    def close(self, symbol: str) -> None:
        """Listen no longer."""
        self._view.ignore(symbol, self._hear)
        self._held.pop(symbol, None)

    def _hear(self, symbol: str, trades: Sequence[Trade]) -> None:
        held = self._held[symbol]
        held += (trade for trade in trades if not trade.is_tombstone)
        del held[:-MAX_HELD]
        self._schedule()

    def _schedule(self) -> None:
        if self._held and not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._hand_over)

    def _hand_over(self) -> None:
        self._is_due = False
        complete = [
            symbol
            for symbol in self._held
            if self._view.status(symbol).quality is DataQuality.COMPLETE
        ]
        batch = {symbol: self._held.pop(symbol) for symbol in complete}
        for trades in batch.values():
            trades.sort(key=lambda trade: trade.aggregate_id)
        if batch:
            self._handle(batch)
