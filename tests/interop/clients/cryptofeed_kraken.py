"""cryptofeed on Kraken's API: trades and candles of its feed."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

from cryptofeed.defines import CANDLES, SELL, TRADES

from tests.interop.clients.cryptofeed_binance import PAIRS, candle, run
from tests.interop.support import place
from tests.interop.support.heard import Heard
from tests.interop.support.report import STREAM, Report
from tests.interop.support.rows import Row, exact, row


def main() -> None:
    """Compare the feed."""
    report, heard = Report("cryptofeed"), Heard()
    trades: dict[str, list[Row]] = defaultdict(list)

    async def keep_candle(each: Any, _: float) -> None:
        series = each.symbol.replace("-", ""), 1
        heard.version(series, round(each.start * 1000), candle(each))

    async def keep_trade(each: Any, _: float) -> None:
        price, amount, time = each.raw[:3]
        made = row(price, amount, exact(time) * 1000, each.side == SELL)
        trades[each.symbol.replace("-", "")].append(made)

    asyncio.set_event_loop(asyncio.new_event_loop())
    feed = place.sample("cryptofeed_kraken.py").Kraken(
        symbols=[*PAIRS],
        channels=[TRADES, CANDLES],
        callbacks={TRADES: keep_trade, CANDLES: keep_candle},
    )
    run(feed, heard)
    heard.finish()
    heard.compare_candles(report)
    for symbol in place.SYMBOLS:
        report.trades_in_order(STREAM, symbol, trades[symbol])
    report.print()


if __name__ == "__main__":
    main()
