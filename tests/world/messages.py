"""The messages with candles that clients get, decoded without losing a digit."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from tests.world.truth import Shown, Wrong


class Candle(msgspec.Struct):
    """A candle of a message or a page; only pages say whether it is closed."""

    candle_time: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    trades_count: int
    taker_buy_volume: Decimal
    taker_sell_volume: Decimal
    closed: bool = False

    @property
    def shown(self) -> Shown:
        """Its figures."""
        return Shown(
            self.candle_time, self.open, self.high, self.low, self.close, self.volume,
            self.trades_count, self.taker_buy_volume, self.taker_sell_volume,
        )  # fmt: skip


class Status(msgspec.Struct):
    """The status that goes with data."""

    historical_loading: bool
    gap_recovery: bool
    data_quality: str
    last_complete_timestamp: int | None

    def check(self, *, has_data: bool | None = None) -> bool:
        """Whether the data is complete; raises Wrong where the fields contradict one another."""
        quality, is_complete = self.data_quality, self.data_quality == "complete"
        if (
            quality not in ("unknown", "loading", "partial", "complete")
            or self.historical_loading is not (quality == "loading")
            or self.gap_recovery is not (quality == "partial")
            or (self.last_complete_timestamp is not None and quality in ("unknown", "complete"))
            or (has_data is not None and has_data is not is_complete)
        ):
            raise Wrong(f"the status contradicts itself: {self}, data: {has_data}")
        return is_complete


class Update(msgspec.Struct):
    """A live candle, or null while the data is not complete."""

    symbol: str
    timeframe: str
    data_status: Status
    data: Candle | None


class History(msgspec.Struct):
    """The newest candles, sent after a subscription."""

    symbol: str
    timeframe: str
    requested_candles: int
    actual_candles: int
    data_status: Status
    candles: list[Candle]


class CandlePage(msgspec.Struct):
    """A page of candles over REST."""

    data: list[Candle]
    data_status: Status


read_update = msgspec.json.Decoder(Update).decode
read_history = msgspec.json.Decoder(History).decode
read_page = msgspec.json.Decoder(CandlePage).decode
