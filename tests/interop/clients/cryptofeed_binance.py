"""cryptofeed on Binance's API: pages of candles and trades, and its feed."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

from cryptofeed import FeedHandler
from cryptofeed.defines import BUY, CANDLES, TRADES

from tests.interop.support import place
from tests.interop.support.heard import Heard
from tests.interop.support.place import SYMBOL
from tests.interop.support.report import REST, Report
from tests.interop.support.rows import Row, Rows, minutes, row

PAIRS = ("BTC-USDT", "ETH-USDT")


def run(feed: Any, heard: Heard) -> None:
    """Run a feed until the time is over."""
    handler, loop = FeedHandler({"log": {"disabled": True}}), asyncio.get_event_loop()
    handler.add_feed(feed)
    handler.run(start_loop=False, install_signal_handlers=False)
    loop.run_until_complete(asyncio.sleep(heard.seconds_left))
    handler.stop(loop=loop)


async def pages(report: Report, feed: Any) -> None:
    """Compare pages of candles and trades."""
    for interval in place.INTERVALS:
        async for page in feed.candles(PAIRS[0], interval=interval):
            closed = {round(each.start * 1000): candle(each) for each in page[:-1]}
            report.candles(REST, SYMBOL, minutes(interval), closed)
    found: Rows = {}
    async for page in feed.trades(PAIRS[0]):
        found |= {each["id"]: trade(each) for each in page}
    report.trades(REST, SYMBOL, found)


def candle(each: Any) -> Row:
    """A candle of cryptofeed."""
    return row(each.open, each.high, each.low, each.close, each.volume, each.trades)


def trade(each: Any) -> Row:
    """A trade of cryptofeed's pages, whose side is the maker's; in the feed it is the taker's."""
    time = Decimal(str(each["timestamp"])) * 1000
    return row(each["price"], each["amount"], time, each["side"] == BUY)


def main() -> None:
    """Compare pages, then the feed."""
    report, configured = Report("cryptofeed"), place.sample("cryptofeed_binance.py")
    asyncio.set_event_loop(loop := asyncio.new_event_loop())
    heard = Heard()

    async def keep(message: Any, _: float) -> None:
        heard.event(message.raw)

    feed = configured.Binance(
        symbols=[*PAIRS],
        channels=[TRADES, CANDLES],
        candle_closed_only=False,
        callbacks={TRADES: keep, CANDLES: keep},
    )
    run(feed, heard)
    heard.compare(report)
    loop.run_until_complete(pages(report, configured.Binance()))
    report.print()


if __name__ == "__main__":
    main()
