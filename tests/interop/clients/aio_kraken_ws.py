"""aio-kraken-ws: candles that it hands over at the end of each minute."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

from tests.interop.support import ours, place
from tests.interop.support.heard import Heard
from tests.interop.support.report import STREAM, Report
from tests.interop.support.rows import COUNT, MINUTE_MS, Rows, row

LATE_MS = 250
"""The client takes a candle as its minute ends, by its own clock."""
PAIRS = {"XBT/USDT": "BTCUSDT", "ETH/USDT": "ETHUSDT"}


async def follow(connect: Any, candles: dict[str, Rows]) -> None:
    """Keep candles until the time is over."""

    async def keep(pair: str, _: int, at: int, *values: float) -> None:
        candles[PAIRS[pair]][at * 1000] = row(*values)

    client = await connect(keep)
    client.subscribe([(pair, 1) for pair in PAIRS])
    await asyncio.sleep(Heard().seconds_left)
    await client.close()


def compare(report: Report, symbol: str, got: Rows) -> None:
    """Compare candles; trades that were made just before the end may be missing."""
    assert got, "the client has no rows"
    for at, values in got.items():
        end = at + MINUTE_MS - 1
        early = max(ours.folded(symbol, at, end - LATE_MS))
        made = ours.folded(symbol, at, end, COUNT)
        right = [candle for count, candle in made.items() if count >= early]
        assert values in right, f"{symbol} {at}: {values} is none of {right}"
        report.add(f"1m candles by {STREAM}", COUNT)


def main() -> None:
    """Compare the candles."""
    report, candles = Report("aio-kraken-ws"), defaultdict[str, Rows](dict)
    asyncio.run(follow(place.sample("aio_kraken_ws.py").connect, candles))
    for symbol in PAIRS.values():
        compare(report, symbol, candles[symbol])
    report.print()


if __name__ == "__main__":
    main()
