"""Shared by the REST peers: a filled store, and queries for rows as objects."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from bench.rows import fill, minute_table, trade_table
from ingest.storage import Store

SYMBOL = "BTCUSDT"
TRADES = 40_000
MINUTES = 1_000
END_MS = 1_704_067_200_000
ROWS = (
    "SELECT aggregate_id, price, quantity, first_trade_id, last_trade_id, timestamp,"
    " is_buyer_maker FROM trades FINAL"
    " WHERE symbol = {symbol:String} AND aggregate_id >= {from_id:Int64}"
    " ORDER BY aggregate_id LIMIT {limit:UInt32}"
)
CANDLES = (
    "SELECT candle_time, open, high, low, close, volume, trades_count, taker_buy_volume,"
    " volume - taker_buy_volume FROM minutes FINAL"
    " WHERE symbol = {symbol:String} ORDER BY candle_time LIMIT {limit:UInt32}"
)


def filled_store(directory: str) -> Store:
    """Fill a store with the trades and minutes of one symbol."""
    store = Store(f"chdb:///{directory}")
    fill(f"chdb:///{directory}", "trades", trade_table([SYMBOL], TRADES))
    fill(f"chdb:///{directory}", "minutes", minute_table(SYMBOL, MINUTES, end_ms=END_MS))
    return store


def rows(store: Store, symbol: str, from_id: int, limit: int) -> Sequence[tuple[Any, ...]]:
    """Trades as tuples of Python objects."""
    return store.connection.rows(ROWS, {"symbol": symbol, "from_id": from_id, "limit": limit})


def candles(store: Store, symbol: str, limit: int) -> Sequence[tuple[Any, ...]]:
    """Candles of one minute as tuples of Python objects."""
    return store.connection.rows(CANDLES, {"symbol": symbol, "limit": limit})


def health() -> dict[str, Any]:
    """The reply of the health check."""
    return {
        "status": "healthy",
        "components": {
            "initialized": True,
            "binance_client": {"connected": True},
            "weight_coordinator": {"active": True, "healthy": True},
            "tickers": {"active_tasks": 1, "healthy_processors": 1},
            "websocket_manager": {"connections": 0, "active_symbols": 0},
        },
        "problems": [],
        "timestamp": time.time_ns() // 1_000_000,
        "uptime_seconds": 1,
    }
