"""nautilus_trader: a live node with a strategy that asks for bars and follows bars and trades."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from nautilus_trader.model.data import BarType
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.strategy import Strategy

from tests.interop.support import place
from tests.interop.support.place import SYMBOL, SYMBOLS
from tests.interop.support.report import REST, STREAM, Report
from tests.interop.support.rows import Row, Rows, minutes, row

NS_PER_MS = 1_000_000
ASKED = {"1-MINUTE": "1m", "4-HOUR": "4h", "1-DAY": "1d"}
"""The bars to ask for over REST, and their intervals."""


class Follower(Strategy):  # type: ignore[misc]
    """Keeps what comes."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[str, Rows] = {}
        self.bars: dict[str, Rows] = {symbol: {} for symbol in SYMBOLS}
        self.trades: dict[str, Rows] = {symbol: {} for symbol in SYMBOLS}

    def on_start(self) -> None:
        """Ask for bars and subscribe."""
        for symbol in SYMBOLS:
            name = f"{symbol}.BINANCE"
            self.subscribe_bars(BarType.from_str(f"{name}-1-MINUTE-LAST-EXTERNAL"))
            self.subscribe_trade_ticks(InstrumentId.from_str(name))
        for step in ASKED:
            bars = BarType.from_str(f"{SYMBOL}.BINANCE-{step}-LAST-EXTERNAL")
            self.request_bars(bars, start=self.clock.utc_now() - timedelta(days=9))

    def on_historical_data(self, data: Any) -> None:
        """Keep bars that were asked for."""
        step = str(data.bar_type.spec).removesuffix("-LAST")
        self.asked.setdefault(step, {})[start(data)] = values(data)

    def on_bar(self, bar: Any) -> None:
        """Keep a bar of a stream."""
        self.bars[bar.bar_type.instrument_id.symbol.value][start(bar)] = values(bar)

    def on_trade_tick(self, tick: Any) -> None:
        """Keep a trade."""
        is_buyer_maker = tick.aggressor_side.name == "SELLER"
        trades = self.trades[tick.instrument_id.symbol.value]
        trades[int(tick.trade_id.value)] = row(
            tick.price, tick.size, milliseconds(tick.ts_event), is_buyer_maker
        )


def milliseconds(time: int) -> int:
    """The milliseconds of nautilus's time, which has been a float of nanoseconds."""
    return round(time / NS_PER_MS)


def start(bar: Any) -> int:
    """The open time of a bar, which has that of its close."""
    width = int(bar.bar_type.spec.timedelta.total_seconds() * 1000)
    return (milliseconds(bar.ts_event) - 1) // width * width


def values(bar: Any) -> Row:
    """The fields of a bar."""
    return row(
        *(bar.open, bar.high, bar.low, bar.close, bar.volume, bar.count),
        bar.taker_buy_base_volume,
    )


async def run(node: Any) -> None:
    """Run the node until the time is over."""
    task = asyncio.create_task(node.run_async())
    await asyncio.sleep(place.STREAM_SECONDS)
    await node.stop_async()
    task.cancel()


def main() -> None:
    """Compare bars that were asked for, then those that came, and trades."""
    report, node, follower = Report("nautilus_trader"), place.sample("nautilus.py").node, Follower()
    node.trader.add_strategy(follower)
    node.get_event_loop().run_until_complete(run(node))
    for step, interval in ASKED.items():
        report.candles(REST, SYMBOL, minutes(interval), follower.asked[step])
    for symbol in SYMBOLS:
        report.trades(STREAM, symbol, follower.trades[symbol])
        report.candles(STREAM, symbol, 1, follower.bars[symbol])
    report.print()


if __name__ == "__main__":
    main()
