# ruff: noqa: S608  # statements are put together from constants of this package alone
"""The SQL of candles: how trades come to a minute, and minutes to a bucket.

Both say the same as `ingest.core.candle`: open belongs to the lowest id, close to the highest, the
rest are extremes and sums. Decimals stay exact: Decimal128 holds every sum of 38 digits.
"""

from __future__ import annotations

OF_TRADES = """
    argMin(price, aggregate_id) AS open,
    max(price) AS high,
    min(price) AS low,
    argMax(price, aggregate_id) AS close,
    sum(quantity) AS volume,
    sum(price * quantity) AS quote_volume,
    sum(last_trade_id - first_trade_id + 1) AS trades_count,
    sumIf(quantity, NOT is_buyer_maker) AS taker_buy_volume,
    sumIf(price * quantity, NOT is_buyer_maker) AS taker_buy_quote_volume,
    min(aggregate_id) AS first_id,
    max(aggregate_id) AS last_id,
    argMin(first_trade_id, aggregate_id) AS first_raw_id,
    argMax(last_trade_id, aggregate_id) AS last_raw_id,
    count() AS aggregates"""

OF_MINUTES = """
    argMin(m.open, m.first_id) AS open,
    max(m.high) AS high,
    min(m.low) AS low,
    argMax(m.close, m.last_id) AS close,
    sum(m.volume) AS volume,
    sum(m.quote_volume) AS quote_volume,
    sum(m.trades_count) AS trades_count,
    sum(m.taker_buy_volume) AS taker_buy_volume,
    sum(m.taker_buy_quote_volume) AS taker_buy_quote_volume,
    min(m.first_id) AS first_id,
    max(m.last_id) AS last_id,
    argMin(m.first_raw_id, m.first_id) AS first_raw_id,
    argMax(m.last_raw_id, m.last_id) AS last_raw_id,
    sum(m.aggregates) AS aggregates"""

FIGURES = (
    "open, high, low, close, volume, quote_volume, trades_count, "
    "taker_buy_volume, taker_buy_quote_volume, first_id, last_id, first_raw_id, last_raw_id, "
    "aggregates"
)

UNSCALED = """
    candle_time,
    toInt64(reinterpret(open, 'Int128')), toInt64(reinterpret(high, 'Int128')),
    toInt64(reinterpret(low, 'Int128')), toInt64(reinterpret(close, 'Int128')),
    reinterpret(volume, 'Int128'), reinterpret(quote_volume, 'Int128'), trades_count,
    reinterpret(taker_buy_volume, 'Int128'), reinterpret(taker_buy_quote_volume, 'Int128'),
    first_id, last_id, first_raw_id, last_raw_id, aggregates"""
"""The fields of a Candle as integers: a Decimal128 is its unscaled value."""


def by_bucket(rows: str) -> str:
    """A statement: the candles in buckets of `width` ms, from rows of finer buckets."""
    return (
        "SELECT intDiv(m.candle_time, {width:Int64}) * {width:Int64} AS candle_time,"
        f"{OF_MINUTES} FROM ({rows}) AS m GROUP BY candle_time"
    )
