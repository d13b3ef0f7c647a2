"""What the REST peers share: a store with trades in it, and their query for rows as objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.rows import fill, trade_table
from ingest.storage import Store

SYMBOL = "BTCUSDT"
TRADES = 40_000
ROWS = (
    "SELECT aggregate_id, price, quantity, first_trade_id, last_trade_id, timestamp,"
    " is_buyer_maker FROM trades FINAL"
    " WHERE symbol = {symbol:String} AND aggregate_id >= {from_id:Int64}"
    " ORDER BY aggregate_id LIMIT {limit:UInt32}"
)


def filled_store(directory: str) -> Store:
    """A store with the trades of one symbol."""
    store = Store(f"chdb:///{directory}")
    fill(f"chdb:///{directory}", "trades", trade_table([SYMBOL], TRADES))
    return store


def rows(store: Store, symbol: str, from_id: int, limit: int) -> Sequence[tuple[Any, ...]]:
    """Trades as tuples of Python objects."""
    return store.sql(ROWS, {"symbol": symbol, "from_id": from_id, "limit": limit})
