"""Generated trades and minutes as Arrow tables, for benchmarks without the exchange."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ingest.storage.columns import decimals
from ingest.storage.engine import open_client

START_MS = 1_704_067_255_000
E8 = 10**8
BATCH_ROWS = 100_000

Ints = npt.NDArray[np.int64]


def trade_table(symbols: Sequence[str], count: int, *, start_ms: int = START_MS,
                step_ms: int = 1) -> pa.Table:  # fmt: skip
    """Rows of the table `trades`: the symbols in turn, one trade each `step_ms`."""
    number = np.arange(count, dtype=np.int64)
    chance = np.random.default_rng(1)
    ids = number // len(symbols)
    price = 43_000 * E8 + np.cumsum(chance.integers(-50, 51, count)) * E8 // 100
    return pa.table(
        {
            "symbol": names(symbols, number % len(symbols)),
            "aggregate_id": ids,
            "price": decimals(price),
            "quantity": decimals(chance.integers(1, 10**9, count) * 100),
            "first_trade_id": ids * 2,
            "last_trade_id": ids * 2 + 1,
            "timestamp": start_ms + number * step_ms,
            "is_buyer_maker": chance.integers(0, 2, count).astype(np.bool_),
        }
    )


def names(symbols: Sequence[str], index: Ints) -> pa.DictionaryArray:
    """A column of symbols by their index."""
    return pa.DictionaryArray.from_arrays(
        pa.array(index.astype(np.int32)), pa.array(list(symbols), pa.string())
    )


def fill(dsn: str, table: str, rows: pa.Table) -> None:
    """Insert rows into a table of a store that this process has open."""
    client = open_client(dsn, {"async_insert": 0})
    for at in range(0, rows.num_rows, BATCH_ROWS):
        client.insert_arrow(table, rows.slice(at, BATCH_ROWS))
    client.close()


def minute_table(symbol: str, count: int, *, end_ms: int) -> pa.Table:
    """Rows of the table `minutes`: `count` minutes of one symbol up to `end_ms`, none quiet."""
    chance = np.random.default_rng(2)
    number = np.arange(count, dtype=np.int64)
    opens = 43_000 * E8 + np.cumsum(chance.integers(-500, 501, count)) * E8 // 100
    closes = np.append(opens[1:], opens[-1])
    volume = chance.integers(1, 10**9, count) * 1000
    aggregates = chance.integers(1, 200, count)
    first_ids = np.cumsum(aggregates) - aggregates
    wide = pa.decimal128(38, 16)
    quote = decimals(volume * 43_000).cast(wide)
    return pa.table(
        {
            "symbol": names([symbol], np.zeros(count, dtype=np.int64)),
            "candle_time": end_ms - (count - number) * 60_000,
            "open": decimals(opens),
            "high": decimals(np.maximum(opens, closes) + E8),
            "low": decimals(np.minimum(opens, closes) - E8),
            "close": decimals(closes),
            "volume": decimals(volume),
            "quote_volume": quote,
            "trades_count": aggregates * 2,
            "taker_buy_volume": decimals(volume // 3),
            "taker_buy_quote_volume": quote,
            "first_id": first_ids,
            "last_id": first_ids + aggregates - 1,
            "first_raw_id": 2 * first_ids,
            "last_raw_id": 2 * (first_ids + aggregates) - 1,
            "aggregates": aggregates.astype(np.uint64),
        }
    )
