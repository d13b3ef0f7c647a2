"""Channels: one feed of one pair, as clients subscribe to it."""

from __future__ import annotations

from typing import NamedTuple

INTERVALS = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)
"""Lengths of candles in minutes."""

ACCOUNT_FEEDS = ("openOrders", "ownTrades")

_OFFSETS = {"trade": 1, "ticker": 4, "spread": 5}
_FIRST_OHLC_OFFSET = 7


class Channel(NamedTuple):
    """A feed of a symbol; `interval` is 0 where the feed has none."""

    feed: str
    symbol: str
    interval: int = 0

    @property
    def name(self) -> str:
        """The name in messages: ohlc-5."""
        return f"{self.feed}-{self.interval}" if self.interval else self.feed

    @property
    def subscription(self) -> dict[str, object]:
        """What a client asks for to get it."""
        wanted: dict[str, object] = {"name": self.feed}
        return {"interval": self.interval, **wanted} if self.interval else wanted

    @property
    def offset(self) -> int:
        """Its place among the channels of its pair, as on Kraken itself."""
        if self.feed == "ohlc":
            return _FIRST_OHLC_OFFSET + INTERVALS.index(self.interval)
        return _OFFSETS[self.feed]
