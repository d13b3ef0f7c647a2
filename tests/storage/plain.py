"""Candles written plainly with `decimal.Decimal`: the word against which the store is held."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal

from ingest.core.candle import Candle
from ingest.core.trade import Trade

EXACT = Context(prec=100)
NO_IDS = -1, -1


@dataclass
class Bucket:
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    quote_volume: Decimal
    trades_count: int
    taker_buy_volume: Decimal
    taker_buy_quote_volume: Decimal
    taker_sell_volume: Decimal
    raw_ids: tuple[int, int]
    aggregates: int


def trade(
    aggregate_id: int = 1,
    *,
    price: str = "100",
    quantity: str = "1",
    time: int = 0,
    raw: int = 1,
    taker_sold: bool = False,
) -> Trade:
    return Trade(
        aggregate_id,
        _e8(Decimal(price)),
        _e8(Decimal(quantity)),
        aggregate_id * 10,
        aggregate_id * 10 + raw - 1,
        time,
        taker_sold,
    )


def tombstone(aggregate_id: int, time: int) -> Trade:
    return Trade(aggregate_id, 0, 0, -1, -1, time, False)


def candles(
    trades: Iterable[Trade], timeframe: int, before: int, limit: int
) -> list[tuple[int, Bucket]]:
    """The last `limit` buckets that ended by `before`, quiet ones flat since the first trade."""
    width = timeframe * 60_000
    by_id = {t.aggregate_id: t for t in trades if t.first_trade_id != -1}
    buckets: dict[int, list[Trade]] = {}
    for aggregate_id in sorted(by_id):
        t = by_id[aggregate_id]
        buckets.setdefault(t.timestamp // width, []).append(t)
    end = before // width
    result: list[tuple[int, Bucket]] = []
    close: Decimal | None = None
    past = [number for number in buckets if number < end - limit]
    if past:
        close = _bucket(buckets[max(past)]).close
    for number in range(max(0, end - limit), end):
        if number in buckets:
            bucket = _bucket(buckets[number])
            close = bucket.close
        elif close is None:
            continue
        else:
            nothing = Decimal(0)
            sums = (nothing, nothing, 0, nothing, nothing, nothing)
            bucket = Bucket(close, close, close, close, *sums, NO_IDS, 0)
        result.append((number * width, bucket))
    return result


def of_candle(candle: Candle) -> tuple[int, Bucket]:
    """A candle of the store in the same terms."""
    return candle.candle_time, Bucket(
        _d8(candle.open),
        _d8(candle.high),
        _d8(candle.low),
        _d8(candle.close),
        _d8(candle.volume),
        Decimal(candle.quote_volume).scaleb(-16, EXACT),
        candle.trades_count,
        _d8(candle.taker_buy_volume),
        Decimal(candle.taker_buy_quote_volume).scaleb(-16, EXACT),
        _d8(candle.taker_sell_volume),
        (candle.first_raw_id, candle.last_raw_id),
        candle.aggregates,
    )


def _bucket(trades: list[Trade]) -> Bucket:
    prices = [_d8(t.price) for t in trades]
    zero = Decimal(0)
    volume = quote = bought = bought_quote = sold = zero
    for t in trades:
        quantity = _d8(t.quantity)
        worth = EXACT.multiply(_d8(t.price), quantity)
        volume = EXACT.add(volume, quantity)
        quote = EXACT.add(quote, worth)
        if t.is_buyer_maker:
            sold = EXACT.add(sold, quantity)
        else:
            bought = EXACT.add(bought, quantity)
            bought_quote = EXACT.add(bought_quote, worth)
    return Bucket(
        prices[0],
        max(prices),
        min(prices),
        prices[-1],
        volume,
        quote,
        sum(t.last_trade_id - t.first_trade_id + 1 for t in trades),
        bought,
        bought_quote,
        sold,
        (trades[0].first_trade_id, trades[-1].last_trade_id),
        len(trades),
    )


def _e8(value: Decimal) -> int:
    return int(value.scaleb(8))


def _d8(value: int) -> Decimal:
    return Decimal(value).scaleb(-8, EXACT)
