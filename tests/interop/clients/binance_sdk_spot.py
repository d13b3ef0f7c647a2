"""binance-sdk-spot, the exchange's newer client: REST, and streams over one connection."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.interop.support import place
from tests.interop.support.heard import Heard
from tests.interop.support.place import SYMBOL
from tests.interop.support.report import REST, Report
from tests.interop.support.rows import event_trade


async def follow(client: Any, heard: Heard) -> None:
    """Listen to all streams until the time is over."""
    connection = await client.websocket_streams.create_connection()
    try:
        for symbol in map(str.lower, place.SYMBOLS):
            streams = [await connection.agg_trade(symbol=symbol)]
            for interval in place.STREAMED:
                streams.append(await connection.kline(symbol=symbol, interval=interval))
            for stream in streams:
                stream.on("message", lambda message: heard.event(message.to_dict()))
        await asyncio.sleep(heard.seconds_left)
    finally:
        await connection.close_connection(close_session=True)


def main() -> None:
    """Compare pages, then streams."""
    report, client = Report("binance-sdk-spot"), place.sample("binance_sdk_spot.py").client
    for interval in place.INTERVALS:
        report.klines(interval, client.rest_api.klines(SYMBOL, interval, limit=1000).data())
    page = client.rest_api.agg_trades(SYMBOL, limit=1000).data()
    report.trades(REST, SYMBOL, {each.a: event_trade(each.to_dict()) for each in page})
    heard = Heard()
    asyncio.run(follow(client, heard))
    heard.compare(report)
    report.print()


if __name__ == "__main__":
    main()
