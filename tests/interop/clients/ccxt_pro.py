"""ccxt.pro: `watch_ohlcv` and `watch_trades`."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Iterable
from typing import Any

from tests.interop.clients.ccxt import trade
from tests.interop.support import ours, place
from tests.interop.support.heard import Heard, Series
from tests.interop.support.report import STREAM, Report
from tests.interop.support.rows import COUNT, MINUTE_MS, Rows, interval, minutes, row

PAIRS = {"BTC/USDT": "BTCUSDT", "ETH/USDT": "ETHUSDT"}


class Watcher:
    """Watches candles and trades of all pairs at the same time."""

    def __init__(self, exchange: Any) -> None:
        self.exchange = exchange
        self.candles: dict[Series, Rows] = defaultdict(dict)
        self.trades: dict[str, Rows] = defaultdict(dict)

    async def run(self) -> None:
        """Watch until the time is over."""
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self.exchange.close)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(Heard().seconds_left):
                    await asyncio.gather(*self._watches())

    def _watches(self) -> Iterable[Awaitable[None]]:
        for pair, symbol in PAIRS.items():
            yield self._watch_trades(pair, self.trades[symbol])
            for name in place.STREAMED:
                yield self._watch_candles(pair, name, self.candles[symbol, minutes(name)])

    async def _watch_trades(self, pair: str, kept: Rows) -> None:
        while True:
            for each in await self.exchange.watch_trades(pair):
                kept[int(each["id"])] = trade(each)

    async def _watch_candles(self, pair: str, name: str, kept: Rows) -> None:
        while True:
            for each in await self.exchange.watch_ohlcv(pair, name):
                kept[each[0]] = row(*each[1:])


def compare_open(report: Report, symbol: str, width: int, at: int, got: Rows) -> None:
    """Compare an open candle, which has no number of trades, with all that its trades made."""
    made = ours.folded(symbol, at, at + width * MINUTE_MS - 1, COUNT).values()
    assert got[at] in made, f"{interval(width)} of {symbol}: {got[at]} is none of {len(made)}"
    report.add(f"open {interval(width)} candles by {STREAM}", COUNT)


def main() -> None:
    """Compare streams."""
    report, watcher = Report("ccxt"), Watcher(place.sample("ccxt_pro.py").exchange)
    asyncio.run(watcher.run())
    for symbol in PAIRS.values():
        report.trades(STREAM, symbol, watcher.trades[symbol])
    for (symbol, width), rows in watcher.candles.items():
        newest = max(rows)
        compare_open(report, symbol, width, newest, rows)
        closed = {at: values for at, values in rows.items() if at < newest}
        if closed or width == 1:
            report.candles(STREAM, symbol, width, closed)
    report.print()


if __name__ == "__main__":
    main()
