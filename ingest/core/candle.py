"""Candles: what a bucket of trades comes to.

Candles of disjoint sets of trades merge in any order to the same result: open belongs to the
lowest id, close to the highest, the rest are extremes and sums. So a trade is folded once into
its minute, and every timeframe is a merge of minutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from .trade import Trade


class Candle(msgspec.Struct, frozen=True, gc=False):
    """One bucket of one symbol.

    `candle_time` is the start of the bucket in milliseconds. Prices and volumes are in units of
    1e-8, quote volumes in units of 1e-16 (see `fixed`). `trades_count` counts raw trades, as the
    exchange's klines do; `aggregates` the aggregate trades. A flat candle (no trades) has
    ids of -1. `first_raw_id` and `last_raw_id` are of the raw trades of the aggregates with the
    lowest and the highest id; -1 where an earlier version stored the candle, and its trades had
    expired since.
    """

    candle_time: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    quote_volume: int
    trades_count: int
    taker_buy_volume: int
    taker_buy_quote_volume: int
    first_id: int
    last_id: int
    first_raw_id: int
    last_raw_id: int
    aggregates: int

    @property
    def taker_sell_volume(self) -> int:
        """The volume that takers sold: exactly that which they did not buy."""
        return self.volume - self.taker_buy_volume

    @property
    def is_flat(self) -> bool:
        """Whether no trade fell into the bucket."""
        return self.aggregates == 0


def of_trades(trades: Sequence[Trade], candle_time: int) -> Candle:
    """The candle of at least one trade, none of them a tombstone, in any order.

    This is the one loop that every trade passes: it keeps the running figures in locals.
    """
    first = last = trades[0]
    high = low = first.price
    volume = quote_volume = trades_count = bought = quote_bought = 0
    for trade in trades:
        price, quantity = trade.price, trade.quantity
        quote = price * quantity
        volume += quantity
        quote_volume += quote
        if not trade.is_buyer_maker:
            bought += quantity
            quote_bought += quote
        trades_count += trade.last_trade_id - trade.first_trade_id
        if price > high:
            high = price
        elif price < low:
            low = price
        if trade.aggregate_id > last.aggregate_id:
            last = trade
        elif trade.aggregate_id < first.aggregate_id:
            first = trade
    return Candle(
        candle_time,
        first.price,
        high,
        low,
        last.price,
        volume,
        quote_volume,
        trades_count + len(trades),
        bought,
        quote_bought,
        first.aggregate_id,
        last.aggregate_id,
        first.first_trade_id,
        last.last_trade_id,
        len(trades),
    )


def of_trade(trade: Trade, candle_time: int) -> Candle:
    """The candle of one trade that is no tombstone."""
    return of_trades((trade,), candle_time)


def flat(candle_time: int, price: int) -> Candle:
    """A quiet bucket: flat at the previous close, as in the exchange's own klines."""
    return Candle(candle_time, price, price, price, price, 0, 0, 0, 0, 0, -1, -1, -1, -1, 0)


def merge(left: Candle, right: Candle, candle_time: int) -> Candle:
    """The candle of two disjoint sets of trades, in the bucket that starts at `candle_time`."""
    if not left.aggregates:
        left, right = right, left
    if not right.aggregates:
        return left if left.candle_time == candle_time else at(left, candle_time)
    first = left if left.first_id < right.first_id else right
    last = left if left.last_id > right.last_id else right
    return Candle(
        candle_time,
        first.open,
        left.high if left.high > right.high else right.high,
        left.low if left.low < right.low else right.low,
        last.close,
        left.volume + right.volume,
        left.quote_volume + right.quote_volume,
        left.trades_count + right.trades_count,
        left.taker_buy_volume + right.taker_buy_volume,
        left.taker_buy_quote_volume + right.taker_buy_quote_volume,
        first.first_id,
        last.last_id,
        first.first_raw_id,
        last.last_raw_id,
        left.aggregates + right.aggregates,
    )


def at(candle: Candle, candle_time: int) -> Candle:
    """The same candle as part of the bucket that starts at `candle_time`."""
    return msgspec.structs.replace(candle, candle_time=candle_time)


def merged(parts: Iterable[Candle], candle_time: int) -> Candle | None:
    """The candle of all parts, or None where there is none."""
    result: Candle | None = None
    for part in parts:
        result = at(part, candle_time) if result is None else merge(result, part, candle_time)
    return result


def filled(
    traded: Sequence[Candle], start: int, end: int, width: int, previous_close: int | None
) -> list[Candle]:
    """Candles of every bucket in [start, end) from the first close on; quiet ones are flat.

    `traded` has those with trades, in order; `previous_close` is the close before `start`.
    """
    candles: list[Candle] = []
    close = previous_close
    time = start
    for candle in traded:
        if close is not None:
            candles += [flat(quiet, close) for quiet in range(time, candle.candle_time, width)]
        candles.append(candle)
        close, time = candle.close, candle.candle_time + width
    if close is not None:
        candles += [flat(quiet, close) for quiet in range(time, end, width)]
    return candles
