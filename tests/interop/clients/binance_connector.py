"""binance-connector, the exchange's older client: REST, and streams over one connection."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.interop.support import place
from tests.interop.support.heard import Heard
from tests.interop.support.place import SYMBOL
from tests.interop.support.report import REST, Report
from tests.interop.support.rows import event_trade


def follow(configured: Any, heard: Heard) -> None:
    """Listen to all streams until the time is over."""
    client = configured.streams(lambda _, message: heard.event(json.loads(message)))
    try:
        for symbol in place.SYMBOLS:
            client.agg_trade(symbol)
            for interval in place.STREAMED:
                client.kline(symbol, interval)
                time.sleep(0.5)  # the exchange takes five requests a second
        time.sleep(heard.seconds_left)
    finally:
        client.stop()


def main() -> None:
    """Compare pages, then streams."""
    report, configured = Report("binance-connector"), place.sample("binance_connector.py")
    client = configured.client
    for interval in place.INTERVALS:
        report.klines(interval, client.klines(SYMBOL, interval, limit=1000))
        report.klines(interval, client.ui_klines(SYMBOL, interval, limit=100))
    page = client.agg_trades(SYMBOL, limit=1000)
    report.trades(REST, SYMBOL, {each["a"]: event_trade(each) for each in page})
    heard = Heard()
    follow(configured, heard)
    heard.compare(report)
    report.print()


if __name__ == "__main__":
    main()
