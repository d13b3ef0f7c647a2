"""The limit of ingest: the engine's insert of the same rows as prepared Arrow tables.

`ingest_bare DIRECTORY TRADES SYMBOL...` prints `ready`, waits for a line, and prints `done`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bench.rows import fill, trade_table
from ingest.storage import Store


def main(directory: str, trades: int, symbols: Sequence[str]) -> None:
    dsn = f"chdb:///{directory}"
    with Store(dsn):
        rows = trade_table(symbols, trades)
        print("ready", flush=True)
        sys.stdin.readline()
        fill(dsn, "trades", rows)
        print("done 0", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
