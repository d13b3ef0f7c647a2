"""Fills a store with trades of the simulated exchange and their candles.

`big_store DIRECTORY TRADES` prints `filled END_MS`, the exchange's time after the last trade.
"""

from __future__ import annotations

import sys

import numpy as np
import pyarrow as pa

from bench.rows import BATCH_ROWS, fill, names
from ingest.core.timeframe import MINUTE_MS
from ingest.storage import Store
from ingest.storage.columns import decimals
from simulator.assets import asset
from simulator.seeded import SeededMarket

SYMBOL = "BTCUSDT"
RATE = 4.0
"""Trades per second."""
GENESIS = "2024-01-01T00:00Z"
GENESIS_MS = 1_704_067_200_000
TIMEFRAMES = (7, 15, 173, 2850)


def main(directory: str, trades: int) -> None:
    dsn = f"chdb:///{directory}"
    market = SeededMarket(asset(SYMBOL), rate=RATE, genesis_us=GENESIS_MS * 1000)
    newest = 0
    with Store(dsn) as store:
        for start in range(0, trades, BATCH_ROWS):
            made = market.slice(start, min(BATCH_ROWS, trades - start))
            times = made.time_us // 1000
            newest = int(times[-1])
            columns = {
                "symbol": names([SYMBOL], np.zeros(len(made), dtype=np.int64)),
                "aggregate_id": made.ids,
                "price": decimals(made.price),
                "quantity": decimals(made.quantity),
                "first_trade_id": made.first,
                "last_trade_id": made.last,
                "timestamp": times,
                "is_buyer_maker": made.buyer_maker,
            }
            fill(dsn, "trades", pa.table(columns))
        end = (newest // MINUTE_MS + 1) * MINUTE_MS
        for timeframe in TIMEFRAMES:
            store.candles.materialize(SYMBOL, timeframe)
        store.candles.recompute({SYMBOL: [(GENESIS_MS, end)]})
    note_settled(dsn, [SYMBOL], end)
    print("filled", end, flush=True)


def note_settled(dsn: str, symbols: list[str], end_ms: int) -> None:
    """Record in a closed store that the candles up to `end_ms` are written."""
    count = len(symbols)
    columns = {
        "symbol": symbols,
        "tail_ms": [end_ms] * count,
        "late_from_ms": [0] * count,
        "late_until_ms": [0] * count,
        "closed_ms": [end_ms] * count,
    }
    fill(dsn, "progress", pa.table(columns))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
