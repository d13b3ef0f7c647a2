"""Histories of 1000 candles: by the product's store, over raw trades, and by DuckDB.

`history DIRECTORY YEARS ROUNDS TRADES` prints one line of JSON: milliseconds by subject and
timeframe, for each round. TRADES raw trades cover the last year (0: not measured).
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from functools import partial

import duckdb
import orjson
import pyarrow as pa
import uvloop

from bench.rows import fill, minute_table, trade_table
from generated.native.facts import DataQuality
from handlers.native.forms import CANDLES as CANDLE_FORM
from handlers.native.messages import initial_history
from ingest.core.status import DataStatus
from ingest.core.timeframe import bucket_start, width_ms
from ingest.pipeline.hot import Hot
from ingest.pipeline.pair import Pair
from ingest.pipeline.view import History
from ingest.storage import AsyncStore, Store, fold

SYMBOL, RAW = "BTCUSDT", "RAWUSDT"
TIMEFRAMES = (1, 173, 2850, 2851)
NEXT_NEW = 30
"""Between two timeframes that are new in turn: levels divide all of them, or none."""
CANDLES = 1000
SUBSCRIBERS = 100
YEAR_MINUTES = 525_600
END_MS = 1_735_689_600_000
DUCK = """
    SELECT candle_time // {width} * {width} AS bucket, arg_min(open, candle_time), max(high),
        min(low), arg_max(close, candle_time), sum(volume), sum(quote_volume), sum(trades_count),
        sum(taker_buy_volume), sum(taker_buy_quote_volume), min(first_id), max(last_id),
        arg_min(first_raw_id, first_id), arg_max(last_raw_id, last_id), sum(aggregates)
    FROM minutes WHERE symbol = ? AND candle_time >= ? AND candle_time < ?
    GROUP BY bucket ORDER BY bucket
"""
RAW_TRADES = (
    "SELECT intDiv(timestamp, {width:Int64}) * {width:Int64} AS candle_time,"
    f"{fold.OF_TRADES} FROM trades FINAL WHERE symbol = {{symbol:String}}"
    " AND timestamp >= {start:Int64} AND timestamp < {end:Int64}"
    " GROUP BY candle_time ORDER BY candle_time"
)

Values = defaultdict[str, list[float]]


def prepared(directory: str, minutes: pa.Table, trades: int) -> Store:
    """Fill a store with these minutes; returns it opened as after a restart."""
    dsn = f"chdb:///{directory}"
    with Store(dsn):
        fill(dsn, "minutes", minutes)
        note = {"symbol": [SYMBOL], "tail_ms": [END_MS], "late_from_ms": [0], "late_until_ms": [0]}
        fill(dsn, "progress", pa.table({**note, "closed_ms": [END_MS]}))
        if trades:
            step = YEAR_MINUTES * 60_000 // trades
            start = END_MS - trades * step
            fill(dsn, "trades", trade_table([RAW], trades, start_ms=start, step_ms=step))
    store = Store(dsn)
    store.candles.add_levels(1)
    return store


async def message(hot: Hot, timeframe: int) -> bytes:
    """The reply to a new subscriber, from the store to its bytes."""
    end, pair = bucket_start(END_MS, timeframe), Pair(SYMBOL, timeframe)
    start = max(0, end - CANDLES * width_ms(timeframe))
    closed = await hot.candles(pair, start, end, 0, CANDLE_FORM)
    return initial_history(pair, CANDLES, History(closed, (), DataStatus(DataQuality.COMPLETE)))


async def first(store: Store, timeframe: int) -> None:
    """Serve a new pair, which is materialized only after its first history is sent."""
    await store.run(store.candles.bases, SYMBOL, [timeframe], END_MS)
    await message(Hot(AsyncStore(store)), timeframe)


async def raw(store: Store, timeframe: int) -> None:
    end = bucket_start(END_MS, timeframe)
    width = width_ms(timeframe)
    start = max(end - CANDLES * width, 0)
    values = {"symbol": RAW, "width": width, "start": start, "end": end}
    await store.run(store.connection.rows, RAW_TRADES, values)


async def by_duckdb(database: duckdb.DuckDBPyConnection, timeframe: int) -> None:
    end = bucket_start(END_MS, timeframe)
    width = width_ms(timeframe)
    start = max(end - CANDLES * width, 0)
    values = [SYMBOL, start, end]
    await asyncio.to_thread(database.execute(DUCK.format(width=width), values).fetchall)


async def at_once(store: Store, timeframe: int) -> list[float]:
    """Milliseconds until each of many concurrent subscribers has its history."""
    began = time.perf_counter()

    hot = Hot(AsyncStore(store))

    async def subscriber() -> float:
        await message(hot, timeframe)
        return (time.perf_counter() - began) * 1000

    return await asyncio.gather(*(subscriber() for _ in range(SUBSCRIBERS)))


async def timed(call: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await call()
    return (time.perf_counter() - began) * 1000


async def main(directory: str, years: int, rounds: int, trades: int) -> None:
    minutes = minute_table(SYMBOL, years * YEAR_MINUTES, end_ms=END_MS)
    store = prepared(f"{directory}/chdb", minutes, trades)
    database = duckdb.connect(f"{directory}/duck.db", config={"threads": 1})
    database.register("made", minutes)
    database.execute("CREATE TABLE minutes AS SELECT * FROM made")
    values: dict[str, Values] = defaultdict(lambda: defaultdict(list))
    for number in range(rounds):
        for timeframe in TIMEFRAMES:
            # Another timeframe in each round: a pair is new only once.
            new = timeframe + number * NEXT_NEW if timeframe > 1 else 1
            key = str(timeframe)
            values["first"][key].append(await timed(partial(first, store, new)))
            store.candles.materialize(SYMBOL, timeframe)
            hot = Hot(AsyncStore(store))
            store.blocks.clear()
            values["repeated"][key].append(await timed(partial(message, hot, timeframe)))
            values["hot"][key].append(await timed(partial(message, hot, timeframe)))
            values["duckdb"][key].append(await timed(partial(by_duckdb, database, timeframe)))
            if trades:
                values["raw"][key].append(await timed(partial(raw, store, timeframe)))
            store.blocks.clear()
            values["hundred"][key] += await at_once(store, timeframe)
    print(orjson.dumps(values).decode(), flush=True)
    database.close()
    store.close()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], *map(int, sys.argv[2:5])))
