"""Trades for tests, and what they come to by plain decimal arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal, localcontext

from hypothesis import strategies as st

from ingest.core import fixed
from ingest.core.candle import Candle
from ingest.core.trade import Trade


def trade(
    aggregate_id: int = 1,
    price: str = "100",
    quantity: str = "1",
    timestamp: int = 0,
    raw_trades: int = 1,
    is_buyer_maker: bool = False,
) -> Trade:
    """A trade with defaults for whatever a test does not care about."""
    first = aggregate_id * 10
    return Trade(
        aggregate_id,
        fixed.parse(price),
        fixed.parse(quantity),
        first,
        first + raw_trades - 1,
        timestamp,
        is_buyer_maker,
    )


def tombstone(aggregate_id: int, timestamp: int = 0) -> Trade:
    """An invalid duplicate, as the exchange marks it."""
    return Trade(aggregate_id, 0, 0, -1, -1, timestamp, False)


@st.composite
def trade_runs(
    draw: st.DrawFn, max_size: int = 40, span_ms: int = 20 * 60_000, start_ms: int = 0
) -> list[Trade]:
    """A contiguous run of trades whose times nearly follow their ids."""
    count = draw(st.integers(1, max_size))
    times = sorted(draw(st.lists(st.integers(0, span_ms), min_size=count, max_size=count)))
    run = []
    for index, time_ms in enumerate(times):
        swap = draw(st.integers(-3000, 3000)) if draw(st.booleans()) else 0
        if draw(st.integers(0, 15)) == 0:
            run.append(tombstone(100 + index, start_ms + time_ms))
            continue
        first = 1000 + index * 10
        run.append(
            Trade(
                100 + index,
                draw(st.integers(1, 10**15)),
                draw(st.integers(1, 10**15)),
                first,
                first + draw(st.integers(0, 9)),
                start_ms + max(0, time_ms + swap),
                draw(st.booleans()),
            )
        )
    return run


Row = dict[str, Decimal | int]


def row(candle: Candle) -> Row:
    """A candle in the terms of `naive_candles`."""
    return {
        "candle_time": candle.candle_time,
        "open": fixed.to_decimal(candle.open),
        "high": fixed.to_decimal(candle.high),
        "low": fixed.to_decimal(candle.low),
        "close": fixed.to_decimal(candle.close),
        "volume": fixed.to_decimal(candle.volume),
        "quote_volume": fixed.to_decimal(candle.quote_volume, 16),
        "trades_count": candle.trades_count,
        "taker_buy_volume": fixed.to_decimal(candle.taker_buy_volume),
        "taker_sell_volume": fixed.to_decimal(candle.taker_sell_volume),
    }


def naive_candles(trades: Sequence[Trade], minutes: int, until_ms: int) -> list[Row]:
    """Candles by the textbook: group by time, sort by id, add up decimals; quiet ones flat."""
    width = minutes * 60 * 1000
    groups: dict[int, list[Trade]] = {}
    for item in trades:
        if item.first_trade_id >= 0:
            groups.setdefault(item.timestamp - item.timestamp % width, []).append(item)
    rows: list[Row] = []
    if not groups:
        return rows
    start = min(groups)
    while start <= until_ms:
        if start in groups:
            rows.append(_textbook(start, sorted(groups[start], key=lambda t: t.aggregate_id)))
        else:
            close = rows[-1]["close"]
            quiet: Row = dict.fromkeys(("open", "high", "low", "close"), close)
            zero: Row = dict.fromkeys(
                ("volume", "quote_volume", "taker_buy_volume", "taker_sell_volume"), Decimal(0)
            )
            rows.append({"candle_time": start, **quiet, **zero, "trades_count": 0})
        start += width
    return rows


def _textbook(start: int, group: list[Trade]) -> Row:
    with localcontext() as context:
        context.prec = 100
        prices = [Decimal(t.price) / 10**8 for t in group]
        sizes = [Decimal(t.quantity) / 10**8 for t in group]
        bought: Iterable[Decimal] = (
            q for t, q in zip(group, sizes, strict=True) if not t.is_buyer_maker
        )
        sold: Iterable[Decimal] = (q for t, q in zip(group, sizes, strict=True) if t.is_buyer_maker)
        return {
            "candle_time": start,
            "open": prices[0],
            "high": max(prices),
            "low": min(prices),
            "close": prices[-1],
            "volume": sum(sizes, Decimal(0)),
            "quote_volume": sum((p * q for p, q in zip(prices, sizes, strict=True)), Decimal(0)),
            "trades_count": sum(t.last_trade_id - t.first_trade_id + 1 for t in group),
            "taker_buy_volume": sum(bought, Decimal(0)),
            "taker_sell_volume": sum(sold, Decimal(0)),
        }


def raw_trades(item: Trade) -> int:
    """How many raw trades of the exchange an aggregate trade stands for."""
    return 0 if item.is_tombstone else item.last_trade_id - item.first_trade_id + 1
