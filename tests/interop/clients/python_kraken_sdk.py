"""python-kraken-sdk: candles, trades and pairs of Kraken's REST API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from tests.interop.support import ours, place
from tests.interop.support.place import INTERVALS, SYMBOL
from tests.interop.support.report import REST, Report
from tests.interop.support.rows import exact, minutes, row

NAMES = {"XBTUSDT": "BTCUSDT", "ETHUSDT": "ETHUSDT"}
PAIR = "XBTUSDT"


def compare(report: Report, ask: Callable[..., Mapping[str, Any]]) -> None:
    """Compare what `ask`, given a method of the API and its parameters, has as result."""
    for name in INTERVALS:
        page = ask("OHLC", pair=PAIR, interval=minutes(name))[PAIR]
        closed = {
            time * 1000: row(*prices, volume, count)
            for time, *prices, _, volume, count in page[:-1]
        }
        report.candles(REST, SYMBOL, minutes(name), closed)
    trades = ask("Trades", pair=PAIR, count=1000)[PAIR]
    found = [
        row(price, volume, round(exact(time) * 1000), side == "s")
        for price, volume, time, side, *_ in trades
    ]
    report.trades_in_order(REST, SYMBOL, found)
    _compare_pairs(report, ask("AssetPairs"))


def _compare_pairs(report: Report, pairs: Mapping[str, Mapping[str, Any]]) -> None:
    """Compare the decimals of prices and volumes with the symbols' filters."""
    got, expected = {}, {}
    symbols = ours.get("/api/v3/exchangeInfo")["symbols"]
    for number, (altname, symbol) in enumerate(NAMES.items()):
        pair = pairs[altname]
        (about,) = (each for each in symbols if each["symbol"] == symbol)
        tick = Decimal(about["filters"][0]["tickSize"]).normalize()
        got[number] = row(pair["pair_decimals"], pair["lot_decimals"])
        expected[number] = row(-int(tick.as_tuple().exponent), about["baseAssetPrecision"])
    report.same(f"decimals of pairs by {REST}", got, expected)


def main() -> None:
    """Compare pages, asked for by the client's methods."""
    report, market = Report("python-kraken-sdk"), place.sample("python_kraken_sdk.py").market
    methods = {
        "OHLC": market.get_ohlc,
        "Trades": market.get_recent_trades,
        "AssetPairs": market.get_asset_pairs,
    }
    compare(report, lambda method, **query: methods[method](**query))
    report.print()


if __name__ == "__main__":
    main()
