"""Messages are exact, and documented whatever the figures."""

from __future__ import annotations

import json
from decimal import ROUND_DOWN, Decimal, localcontext

from hypothesis import given
from hypothesis import strategies as st

from generated.kraken.facts import INTERVAL_VALUES, MarketFeed
from handlers.kraken import messages
from handlers.kraken.api import PUBLIC
from handlers.kraken.channels import Channel
from handlers.kraken.pairs import KrakenPair
from ingest.binance.quotes import Quote
from ingest.core.candle import Candle, flat, merged, of_trade
from ingest.core.timeframe import bucket_start, width_ms
from ingest.core.trade import Trade
from tests.factories import trade, trade_runs
from tests.handlers.kraken.support import JUDGES

AMOUNTS = st.integers(1, 2**63 - 1)


def pair(decimals: int = 2) -> KrakenPair:
    return KrakenPair("BTCUSDT", "XBT", "USDT", decimals, is_open=True)


def real(run: list[Trade]) -> list[Trade]:
    return [item for item in run if not item.is_tombstone]


@given(trade_runs(), st.integers(1, 8))
def test_vwap_is_the_exact_mean_cut_to_the_decimals_of_a_price(
    run: list[Trade], decimals: int
) -> None:
    candle = merged((of_trade(item, 0) for item in real(run)), 0)
    if candle is None:
        return
    with localcontext() as context:
        context.prec = 200
        total = sum((Decimal(item.price) * item.quantity for item in real(run)), Decimal(0))
        mean = total / sum(item.quantity for item in real(run)) / 10**8
        expected = mean.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_DOWN)
    written = messages.vwap(candle, decimals)
    assert written == f"{expected:f}"
    assert len(written.partition(".")[2]) == decimals


def test_a_quiet_candle_has_no_mean_price() -> None:
    assert messages.vwap(flat(0, 4324510000000), 2) == "0.00"


@given(AMOUNTS, st.integers(1, 8))
def test_no_decimal_of_a_price_or_volume_is_lost(value: int, decimals: int) -> None:
    price = messages.price(value, decimals)
    assert Decimal(price) * 10**8 == value
    assert len(price.partition(".")[2]) >= decimals
    assert Decimal(messages.volume(value)) * 10**8 == value


@given(trade_runs(), st.sampled_from(INTERVAL_VALUES), st.integers(1, 8), st.integers(0, 10**13))
def test_candles_are_documented_and_their_times_lie_within_them(
    run: list[Trade], interval: int, decimals: int, newest_ms: int
) -> None:
    start = bucket_start(1_700_000_000_000, interval)
    candle = merged((of_trade(item, start) for item in real(run)), start) or flat(start, 5)
    channel = Channel(MarketFeed.OHLC, "BTCUSDT", interval)
    message = json.loads(messages.ohlc(channel, 7, pair(decimals), candle, newest_ms))
    assert JUDGES[PUBLIC].names(message) == ["ohlc"]
    time, end = (Decimal(text) * 1000 for text in message[1][:2])
    assert start <= time < end == start + width_ms(interval)
    assert time in (start, newest_ms, end - 1)


@given(trade_runs())
def test_trades_are_documented_and_say_what_the_taker_did(run: list[Trade]) -> None:
    if not real(run):
        return
    message = json.loads(messages.trade(1, pair(), real(run)))
    assert JUDGES[PUBLIC].names(message) == ["trade"]
    for item, row in zip(real(run), message[1], strict=True):
        assert Decimal(row[0]) * 10**8 == item.price
        assert Decimal(row[1]) * 10**8 == item.quantity
        assert Decimal(row[2]) * 1000 == item.timestamp
        assert row[3] == ("s" if item.is_buyer_maker else "b")


@given(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS, trade_runs())
def test_tickers_and_spreads_are_documented(
    bid: int, bid_quantity: int, ask: int, ask_quantity: int, run: list[Trade]
) -> None:
    quote = Quote(bid, bid_quantity, ask, ask_quantity)
    day: Candle = merged((of_trade(item, 0) for item in real(run)), 0) or flat(0, 1)
    ticker = messages.ticker(4, pair(), quote, trade(), flat(0, 7), day)
    assert JUDGES[PUBLIC].names(json.loads(ticker)) == ["ticker"]
    spread = messages.spread(5, pair(), quote, 1_700_000_000_123)
    message = json.loads(spread)
    assert JUDGES[PUBLIC].names(message) == ["spread"]
    assert message[1][2] == "1700000000.123000"


def test_a_recorded_candle_is_written_as_kraken_wrote_it() -> None:
    """XBT/USD on 12 November 2023, 13:53 UTC: two trades at one price. Times here are of ms."""
    start = 1_699_797_180_000
    two = [
        trade(1, price="37080.2", quantity="0.00015891", timestamp=start + 1_000),
        trade(2, price="37080.2", quantity="0.01016478", timestamp=start + 1_803),
    ]
    candle = merged((of_trade(item, start) for item in two), start)
    assert candle is not None
    channel = Channel(MarketFeed.OHLC, "BTCUSDT", 1)
    recorded = (
        b'[343,["1699797181.803000","1699797240.000000","37080.20000","37080.20000","37080.20000",'
        b'"37080.20000","37080.20000","0.01032369",2],"ohlc-1","XBT/USD"]'
    )
    usd = KrakenPair("BTCUSD", "XBT", "USD", 5, is_open=True)
    assert messages.ohlc(channel, 343, usd, candle, start + 1_803) == recorded
