"""ccxt: `fetch_ohlcv` and `fetch_trades`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.interop.support import place
from tests.interop.support.report import REST, Report
from tests.interop.support.rows import Row, minutes, row

SYMBOL = "BTC/USDT"


def trade(each: Mapping[str, Any]) -> Row:
    """A trade of ccxt."""
    return row(each["price"], each["amount"], each["timestamp"], each["side"] == "sell")


def main() -> None:
    """Compare pages."""
    report, exchange = Report("ccxt"), place.sample("ccxt.py").exchange
    for interval in place.INTERVALS:
        page = exchange.fetch_ohlcv(SYMBOL, interval, limit=1000)
        closed = {each[0]: row(*each[1:]) for each in page[:-1]}
        report.candles(REST, place.SYMBOL, minutes(interval), closed)
    trades = {int(each["id"]): trade(each) for each in exchange.fetch_trades(SYMBOL, limit=1000)}
    report.trades(REST, place.SYMBOL, trades)
    report.print()


if __name__ == "__main__":
    main()
