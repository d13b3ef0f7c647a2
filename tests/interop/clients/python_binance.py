"""python-binance: pages and iterators of its REST client, and a socket of several streams."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.interop.support import place
from tests.interop.support.heard import Heard
from tests.interop.support.place import SYMBOL
from tests.interop.support.report import REST, Report
from tests.interop.support.rows import event_trade

TRADES = 2500


async def follow(configured: Any, heard: Heard) -> None:
    """Listen to all streams over one connection."""
    client = await configured.AsyncClient.create()
    names = [f"{symbol.lower()}@{kind}" for symbol in place.SYMBOLS for kind in place.STREAMS]
    try:
        async with configured.BinanceSocketManager(client).multiplex_socket(names) as socket:
            while heard.seconds_left:
                message = await socket.recv()
                assert message.get("e") != "error", message
                heard.event(message)
    finally:
        await client.close_connection()


def main() -> None:
    """Compare pages, then streams."""
    report, configured = Report("python-binance"), place.sample("python_binance.py")
    client = configured.client
    for interval in place.INTERVALS:
        report.klines(interval, client.get_historical_klines(SYMBOL, interval, "20 days ago UTC"))
        report.klines(interval, client.get_klines(symbol=SYMBOL, interval=interval, limit=1000))
    last = client.get_aggregate_trades(symbol=SYMBOL)[-1]["a"]
    every = client.aggregate_trade_iter(SYMBOL, last_id=last - TRADES)
    report.trades(REST, SYMBOL, {each["a"]: event_trade(each) for each in every})
    heard = Heard()
    asyncio.run(follow(configured, heard))
    heard.compare(report)
    report.print()


if __name__ == "__main__":
    main()
