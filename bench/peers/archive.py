"""Stores a file of the archive, by the product or by the engine's insert of its lines.

`archive DIRECTORY TRADES` prints `ready` when the file is written. For each line of its input,
`ours` or `bare`, it stores the trades in an empty table and prints `took SECONDS`.
"""

from __future__ import annotations

import asyncio
import sys
import time
import zipfile
from pathlib import Path
from typing import cast

import pyarrow as pa
import pyarrow.csv

from bench.rows import START_MS, trade_table
from ingest.binance.archive import ArchiveFile
from ingest.binance.rest import BinanceRest
from ingest.core.keep import DAY_MS
from ingest.pipeline.backfill import Backfill, Outcome
from ingest.storage import AsyncStore, Store

SYMBOL = "BTCUSDT"
DAY_START = START_MS // DAY_MS * DAY_MS
FILE = ArchiveFile(SYMBOL, DAY_START, DAY_START + DAY_MS, is_month=False)
COLUMNS = (
    *("aggregate_id", "price", "quantity", "first_trade_id", "last_trade_id", "timestamp"),
    "is_buyer_maker",
)
BARE = """
INSERT INTO bare SELECT {symbol:String}, id, price, quantity, first, last, time, maker
FROM file({path:String}, 'CSV', 'id Int64, price Decimal(38, 8), quantity Decimal(38, 8),
    first Int64, last Int64, time Int64, maker Bool, best Bool')
"""


class Quiet:
    """Ignores the progress of a backfill."""

    def planned(self, symbol: str, trades: int) -> None: ...

    def stored(self, symbol: str, trades: int) -> None: ...

    def fetched(self, symbol: str, size: int) -> None: ...

    def note(self, text: str) -> None: ...


def make_file(directory: Path, trades: int) -> tuple[Path, Path]:
    """Write the lines in the form of the archive, plain and zipped."""
    rows = trade_table([SYMBOL], trades).select(COLUMNS)
    rows = rows.append_column("best", pa.array([True] * trades))
    lines, zipped = directory / FILE.name.replace(".zip", ".csv"), directory / FILE.name
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="none")
    pyarrow.csv.write_csv(rows, lines, options)
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(lines, lines.name)
    return lines, zipped


def ours(store: Store, zipped: Path) -> None:
    """Unzip the file, check each line in the engine, and store it in pieces on disk."""
    backfill = Backfill(
        AsyncStore(store), cast("BinanceRest", None), None, Quiet()
    )  # nothing is fetched
    asyncio.run(backfill.store_file(zipped, FILE, 1.0, Outcome(SYMBOL)))


def main(directory: str, trades: int) -> None:
    lines, zipped = make_file(Path(directory), trades)
    with Store(f"chdb:///{directory}/db") as store:
        store.connection.rows("CREATE TABLE bare AS trades")
        print("ready", flush=True)
        for command in sys.stdin:
            table = {"ours": "trades", "bare": "bare"}[command.strip()]
            store.connection.rows(f"TRUNCATE TABLE {table}")
            began = time.perf_counter()
            if table == "bare":
                store.connection.rows(BARE, {"symbol": SYMBOL, "path": str(lines)})
            else:
                ours(store, zipped)
            print("took", time.perf_counter() - began, flush=True)
            [(stored,)] = store.connection.rows(f"SELECT count() FROM {table}")
            assert stored == trades, f"{stored} trades were stored"


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
