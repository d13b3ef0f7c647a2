"""One aggregate trade: fills of one taker order at one price, under one id of the exchange."""

from __future__ import annotations

import msgspec

from generated.native.facts import TIMESTAMP_MS_MAXIMUM

from .errors import MalformedTrade
from .fixed import MAX_FIXED

MAX_NOTIONAL = 10**13 * 10**16
"""Price times quantity, in units of 1e-16. Sums are kept in 128 bits: those of 10**9 trades fit,
which is more than a year of any symbol has. In the smallest currency that is quoted, the rupiah,
it is 600 million dollars."""

MAX_RAW_TRADES = 10**9
"""Raw trades that one aggregate may stand for; their number is kept in 64 bits."""


class Trade(msgspec.Struct, frozen=True, gc=False):
    """An aggregate trade of one symbol; (symbol, aggregate_id) is its identity.

    `price` and `quantity` are in units of 1e-8 (see `fixed`), `timestamp` in milliseconds of the
    exchange's clock. `is_buyer_maker` is true when the buyer was the maker: the taker sold.
    """

    aggregate_id: int
    price: int
    quantity: int
    first_trade_id: int
    last_trade_id: int
    timestamp: int
    is_buyer_maker: bool

    @property
    def is_tombstone(self) -> bool:
        """An invalid duplicate: no part of any candle, though its id counts for continuity."""
        return self.first_trade_id == -1


def checked(trade: Trade) -> Trade:
    """The trade itself when its figures can be those of a real one.

    Raises MalformedTrade otherwise. Tombstones (price, quantity 0 and raw ids -1) pass.
    """
    price, quantity = trade.price, trade.quantity
    first, last = trade.first_trade_id, trade.last_trade_id
    is_in_range = 0 <= trade.aggregate_id <= MAX_FIXED
    if not is_in_range or not 0 <= trade.timestamp <= TIMESTAMP_MS_MAXIMUM:
        raise MalformedTrade(f"id or time out of range in {trade}")
    if first == last == -1 and price == quantity == 0:
        return trade
    if not 0 <= first <= last <= MAX_FIXED or last - first >= MAX_RAW_TRADES:
        raise MalformedTrade(f"raw trade ids out of range in {trade}")
    if not (0 < price <= MAX_FIXED and 0 < quantity <= MAX_FIXED):
        raise MalformedTrade(f"price or quantity out of range in {trade}")
    if price * quantity > MAX_NOTIONAL:
        raise MalformedTrade(f"price times quantity out of range in {trade}")
    return trade
