"""The figures of the latest 24 hours of a symbol, or of another number of minutes."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.core.candle import Candle
from ingest.core.errors import NotReady
from ingest.core.interval import DAY
from ingest.core.timeframe import MINUTE_MS
from ingest.core.trade import Trade

from .view import MarketView, not_complete


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums over the latest minutes, the running one included."""

    total: Candle
    """All of them as one candle, whose time is their start."""
    previous_close: int
    """The price of the last trade before them, or their first one where there is none."""
    last: Trade
    """The newest trade of all."""
    end_ms: int
    """The exchange's time."""

    @property
    def change(self) -> int:
        """By how much the price has risen, in units of 1e-8."""
        return self.total.close - self.total.open

    @property
    def average(self) -> int:
        """The price weighted by volume, in units of 1e-8; that of the last trade without any."""
        total = self.total
        return total.quote_volume // total.volume if total.volume else total.close


class Recent:
    """The latest minutes of a symbol, read once and kept up to date."""

    def __init__(self, view: MarketView, symbol: str, minutes: int = DAY) -> None:
        """Raises UnknownSymbol."""
        self._view = view
        self._symbol = symbol
        self._minutes = minutes
        self._window = view.window(symbol, minutes + 1)

    async def figures(self) -> Figures:
        """The figures now.

        Raises StoreUnavailable, and NotReady while the data is not complete, or begins later.
        """
        view, symbol, window = self._view, self._symbol, self._window
        if not await window.read():
            raise not_complete(view.feed(symbol))
        start = window.start_ms + MINUTE_MS
        if view.whole_from_ms(symbol) > start:
            raise NotReady(
                f"The history of {symbol} is shorter than {self._minutes} minutes; let"
                " CANDLECAST_HISTORY reach further back"
            )
        total, last = window.since(start), view.last_trade(symbol)
        if total is None or last is None:
            raise NotReady(f"{symbol} has had no trade yet; try again when it has")
        before = window.minute(window.start_ms)
        previous = total.open if before is None else before.close
        return Figures(total, previous, last, window.now_ms)
