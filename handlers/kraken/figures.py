"""The figures of a ticker: of this UTC day, and of the last 24 hours."""

from __future__ import annotations

from typing import NamedTuple

from ingest.core.candle import Candle
from ingest.core.interval import DAY
from ingest.core.timeframe import bucket_start
from ingest.core.trade import Trade
from ingest.pipeline.view import MarketView


class Figures(NamedTuple):
    """The newest trade, and the minutes of both spans as one candle each."""

    last: Trade
    today: Candle
    day: Candle


class Recent:
    """The latest minutes of a symbol: the running one and the 1439 before it."""

    def __init__(self, view: MarketView, symbol: str) -> None:
        self._view = view
        self._symbol = symbol
        self._window = view.window(symbol, DAY)

    async def figures(self) -> Figures | None:
        """The figures now; None while they cannot be relied upon. Raises StoreUnavailable."""
        window = self._window
        if not await window.read():
            return None
        last = self._view.last_trade(self._symbol)
        today, day = window.since(bucket_start(window.now_ms, DAY)), window.since(window.start_ms)
        return None if last is None or today is None or day is None else Figures(last, today, day)
