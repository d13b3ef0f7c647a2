"""Kraken's names of our symbols, and numbers of channels that stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generated.kraken.facts import INTERVAL_VALUES, MarketFeed
from handlers.kraken.channels import Channel
from handlers.kraken.pairs import CHANNELS_OF_A_PAIR, Pairs
from ingest.binance.answers import SymbolInfo, exchange_info

MARKETS = {
    "BTCUSDT": SymbolInfo("BTCUSDT", "TRADING", "BTC", "USDT", 2),
    "ETHBTC": SymbolInfo("ETHBTC", "TRADING", "ETH", "BTC", 5),
    "DOGEBTC": SymbolInfo("DOGEBTC", "BREAK", "DOGE", "BTC"),
}


@pytest.mark.parametrize(
    ("symbol", "wsname", "altname"),
    [
        ("BTCUSDT", "XBT/USDT", "XBTUSDT"),
        ("ETHBTC", "ETH/XBT", "ETHXBT"),
        ("DOGEBTC", "XDG/XBT", "XDGXBT"),
    ],
)
def test_symbols_have_krakens_names(symbol: str, wsname: str, altname: str) -> None:
    pairs = Pairs(tuple(MARKETS), MARKETS)
    pair = pairs.named(wsname)
    assert pair is not None
    assert (pair.symbol, pair.wsname, pair.altname) == (symbol, wsname, altname)
    assert pairs.of(symbol) == pair


def test_only_krakens_own_names_are_known() -> None:
    pairs = Pairs(tuple(MARKETS), MARKETS)
    assert [pairs.named(name) for name in ("BTC/USDT", "BTCUSDT", "xbt/usdt", "")] == [None] * 4


def test_a_symbol_is_a_pair_once_the_exchange_has_listed_it() -> None:
    markets: dict[str, SymbolInfo] = {}
    pairs = Pairs(("BTCUSDT",), markets)
    assert pairs.all() == []
    markets["BTCUSDT"] = MARKETS["BTCUSDT"]
    assert [pair.wsname for pair in pairs.all()] == ["XBT/USDT"]


@given(st.sets(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=2, max_size=20)))
def test_every_channel_has_a_number_of_its_own_whatever_the_order(symbols: set[str]) -> None:
    first, second = Pairs(sorted(symbols), {}), Pairs(sorted(symbols, reverse=True), {})
    assert [first.number(s) for s in symbols] == [second.number(s) for s in symbols]
    numbers = [
        first.number(symbol) + Channel(feed, symbol, interval).offset
        for symbol in symbols
        for feed, interval in (
            *((MarketFeed.OHLC, interval) for interval in INTERVAL_VALUES),
            *((feed, 0) for feed in (MarketFeed.TRADE, MarketFeed.TICKER, MarketFeed.SPREAD)),
        )
    ]
    assert len(set(numbers)) == len(numbers)
    assert all(0 <= number < 2**31 for number in numbers)


def test_a_pair_keeps_its_number_when_others_come() -> None:
    symbols = ("BTCUSDT", "ETHUSDT", "DOGEUSDT")
    alone = Pairs(symbols[:1], {}).number(symbols[0])
    assert Pairs(symbols, {}).number(symbols[0]) == alone
    assert alone % CHANNELS_OF_A_PAIR == 0


def test_prices_have_the_decimals_of_the_tick_size() -> None:
    def decimals(filters: str) -> int:
        body = f'{{"symbols":[{{"symbol":"BTCUSDT"{filters}}}]}}'.encode()
        return exchange_info(body, "BTCUSDT".__eq__).symbols["BTCUSDT"].price_decimals

    price = '{"filterType":"PRICE_FILTER","tickSize":"0.01000000"}'
    lot = '{"filterType":"LOT_SIZE","stepSize":"0.00001000"}'
    assert decimals(f',"filters":[{lot},{price}]') == 2
    assert decimals(',"filters":[{"tickSize":"1.00000000"}]') == 0
    assert decimals(f',"filters":[{lot}]') == 8
    assert decimals(',"filters":[{"tickSize":"?"},{"tickSize":"0.00000000"}]') == 8
    assert decimals("") == 8
