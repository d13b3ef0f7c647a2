"""A store as the program of one version leaves it, to be opened by those of later ones.

`stores/version-N.tar.xz` holds that of version N of the tables, made when N was the newest by
`python -m tests.storage.old_stores N`. What is in it is not to change: later ones hold the same.
"""

from __future__ import annotations

import sys
import tarfile
import tempfile
import time
from pathlib import Path

from ingest.core.timeframe import MINUTE_MS
from ingest.core.trade import Trade
from ingest.storage import Store

STORES = Path(__file__).parent / "stores"
DAY = 1440 * MINUTE_MS
START, DAYS, COUNT = 20_000 * DAY, 40, 6000
END = START + DAYS * DAY
PAIRS = (("BTCUSDT", 1), ("BTCUSDT", 173), ("ETHUSDT", 2880))
KEPT_SINCE = START + 10 * DAY
"""From when on the trades of ETHUSDT are kept; its candles all are."""


def _trade(number: int) -> Trade:
    price, quantity = (100 + number % 17) * 10**8, (1 + number % 3) * 10**8
    raw_id, time_ms = number * 10, START + number * (END - START) // COUNT + number * 7919 % 40_000
    ids = (raw_id, raw_id + number % 4)
    return Trade(number, price, quantity, *ids, time_ms, is_buyer_maker=number % 2 == 0)


TRADES = [_trade(number) for number in range(COUNT)]


def write(path: Path) -> None:
    """Write the store into a directory."""
    with Store(f"chdb://{path}") as store:
        for symbol in ("BTCUSDT", "ETHUSDT"):
            store.trades.insert({symbol: TRADES})
            store.candles.recompute(store.candles.unsettled({symbol: END}))
        for symbol, timeframe in PAIRS:
            store.candles.materialize(symbol, timeframe)
        store.candles.add_levels(len(PAIRS))
        store.retention.expire("ETHUSDT", KEPT_SINCE, 0, START, 0)
        while store.connection.rows("SELECT count() FROM trades") == [(2 * COUNT,)]:
            time.sleep(0.1)
        for table in ("trades", "minutes", "candles"):
            store.connection.command(f"OPTIMIZE TABLE {table} FINAL")


def unpack(version: int, directory: Path) -> str:
    """Unpack the store of a version; returns its DSN."""
    with tarfile.open(STORES / f"version-{version}.tar.xz") as archive:
        archive.extractall(directory, filter="data")
    return f"chdb://{directory}/db"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        write(Path(made) / "db")
        with tarfile.open(STORES / f"version-{int(sys.argv[1])}.tar.xz", "w:xz") as packed:
            packed.add(Path(made) / "db", "db")
