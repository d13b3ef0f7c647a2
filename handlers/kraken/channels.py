"""Channels: one feed of one pair, as clients subscribe to it."""

from __future__ import annotations

from typing import NamedTuple

from generated.kraken.facts import INTERVAL_VALUES, MarketFeed, OhlcName
from generated.kraken.models import MarketSubscription

_OFFSETS = {MarketFeed.TRADE: 1, MarketFeed.TICKER: 4, MarketFeed.SPREAD: 5}
_FIRST_OHLC_OFFSET = 7


class Channel(NamedTuple):
    """A feed of a symbol; `interval` is 0 where the feed has none."""

    feed: MarketFeed
    symbol: str
    interval: int = 0

    @property
    def name(self) -> str:
        """The name in messages: ohlc-5."""
        return self.ohlc_name if self.interval else self.feed

    @property
    def ohlc_name(self) -> OhlcName:
        """The name of a channel of candles."""
        return OhlcName(f"{self.feed}-{self.interval}")

    @property
    def subscription(self) -> MarketSubscription:
        """The request for it."""
        wanted: dict[str, object] = {"name": self.feed}
        if self.interval:
            wanted["interval"] = self.interval
        return MarketSubscription.model_validate(wanted)

    @property
    def offset(self) -> int:
        """Its place among the channels of its pair, as on Kraken itself."""
        if self.feed is MarketFeed.OHLC:
            return _FIRST_OHLC_OFFSET + INTERVAL_VALUES.index(self.interval)
        return _OFFSETS[self.feed]
