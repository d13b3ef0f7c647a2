"""One flush at a time, at the end of a minute, with a number of materialized timeframes.

`flush DIRECTORY PAIRS VIEWS` prints `ready`. For each line of its input it flushes 2,000 trades of
25 symbols that end a minute and prints `took MS`, with the time that the ended buckets take
afterwards. With VIEWS there are no pairs but that number of
materialized views, and the flush is the insert alone.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import pyarrow as pa

from bench.peers.big_store import note_settled
from bench.rows import fill, minute_table, names
from ingest.core.timeframe import MINUTE_MS
from ingest.core.trade import Trade
from ingest.storage import Store

SYMBOLS = [f"COIN{number:02}USDT" for number in range(25)]
TRADES = 2_000
HISTORY_MINUTES = 43_200
END_MS = 1_735_689_600_000
VIEW = """
CREATE MATERIALIZED VIEW view_{number} ENGINE = AggregatingMergeTree ORDER BY candle_time AS
SELECT intDiv(timestamp, {width}) * {width} AS candle_time,
    argMinState(price, aggregate_id) AS open, maxState(price) AS high, minState(price) AS low,
    argMaxState(price, aggregate_id) AS close, sumState(quantity) AS volume,
    sumState(last_trade_id - first_trade_id + 1) AS trades_count,
    sumStateIf(quantity, NOT is_buyer_maker) AS taker_buy_volume
FROM trades WHERE symbol = '{symbol}' GROUP BY candle_time
"""


def prepare(dsn: str, pairs: int) -> None:
    """Fill a store with a month of minutes of every symbol, and the pairs in use."""
    with Store(dsn):
        for symbol in SYMBOLS:
            fill(dsn, "minutes", minute_table(symbol, HISTORY_MINUTES, end_ms=END_MS))
        if pairs:
            number = np.arange(pairs, dtype=np.int64)
            rows = {
                "symbol": names(SYMBOLS, number % len(SYMBOLS)),
                "timeframe": (2 + number // len(SYMBOLS)).astype(np.uint32),
                "state": ["ready"] * pairs,
            }
            fill(dsn, "timeframes", pa.table(rows))
    note_settled(dsn, SYMBOLS, END_MS)


def batch(minute: int, first_id: int) -> dict[str, list[Trade]]:
    """The trades of one minute."""
    each = TRADES // len(SYMBOLS)
    start = END_MS + minute * MINUTE_MS
    return {
        symbol: [
            Trade(
                aggregate_id=first_id + number,
                price=4_300_000_000_000 + number,
                quantity=100_000,
                first_trade_id=number,
                last_trade_id=number,
                timestamp=start + number * MINUTE_MS // each,
                is_buyer_maker=bool(number % 2),
            )
            for number in range(each)
        ]
        for symbol in SYMBOLS
    }


def main(directory: str, pairs: int, views: int) -> None:
    dsn = f"chdb:///{directory}"
    prepare(dsn, pairs)
    with Store(dsn) as store:
        for number in range(views):
            symbol, width = SYMBOLS[number % len(SYMBOLS)], (2 + number // 25) * MINUTE_MS
            store.connection.rows(VIEW.format(number=number, symbol=symbol, width=width))
        print("ready", flush=True)
        for minute, _ in enumerate(sys.stdin):
            trades = batch(minute, 10**9 + minute * TRADES)
            start = END_MS + minute * MINUTE_MS
            began = time.perf_counter()
            store.trades.insert(trades)
            ended = start + MINUTE_MS
            if not views:
                store.candles.recompute({s: [(start, ended)] for s in SYMBOLS}, close=False)
            took = (time.perf_counter() - began) * 1000
            if not views:  # as the provider does it, off the way of the trades
                store.candles.close(dict.fromkeys(SYMBOLS, ended))
            print("took", took, (time.perf_counter() - began) * 1000 - took, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
