"""The REST endpoints in FastAPI with response models, under uvicorn: rows, objects, validation."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import Sequence
from typing import Annotated, Any

import uvicorn
import uvloop
from fastapi import FastAPI, Path, Query
from pydantic import BaseModel

from bench.peers.commands import serve_commands
from bench.peers.rest_common import candles, filled_store, health, rows
from generated.native.models import Health
from ingest.storage import Store

KEEP_ALIVE_SECONDS = 75
"""As aiohttp has it; uvicorn's 5 pass while slow answers are waited for."""


class Trade(BaseModel):
    aggregate_id: int
    price: float
    quantity: float
    first_trade_id: int
    last_trade_id: int
    timestamp: int
    is_buyer_maker: bool


class TradeList(BaseModel):
    success: bool
    data: list[Trade]
    message: str
    timestamp: int
    error: str | None


class Candle(BaseModel):
    candle_time: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    trades_count: int
    taker_buy_volume: float
    taker_sell_volume: float


class CandleList(BaseModel):
    success: bool
    data: list[Candle]
    message: str
    timestamp: int
    error: str | None


Symbol = Annotated[str, Path(pattern="^[A-Z0-9]{2,20}$")]


class Handlers:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def trades(
        self,
        symbol: Symbol,
        from_id: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    ) -> dict[str, object]:
        found = await self._store.run(rows, self._store, symbol, from_id, limit)
        return _reply(Trade, found, f"Retrieved {len(found)} trades for {symbol}")

    async def candles(
        self,
        symbol: Symbol,
        timeframe: Annotated[int, Query(ge=1)],
        limit: Annotated[int, Query(ge=1, le=1_000)] = 500,
    ) -> dict[str, object]:
        found = await self._store.run(candles, self._store, symbol, limit)
        said = f"Retrieved {len(found)} candles of {timeframe}m for {symbol}"
        return _reply(Candle, found, said)

    async def health(self) -> dict[str, Any]:
        return health()


def _reply(
    model: type[BaseModel], found: Sequence[tuple[object, ...]], message: str
) -> dict[str, object]:
    return {
        "success": True,
        "data": [dict(zip(model.model_fields, row, strict=True)) for row in found],
        "message": message,
        "timestamp": time.time_ns() // 1_000_000,
        "error": None,
    }


async def main(directory: str) -> None:
    store = await asyncio.to_thread(filled_store, directory)
    handlers = Handlers(store)
    application = FastAPI()
    application.add_api_route(
        "/api/v1/data/trades/{symbol}", handlers.trades, response_model=TradeList
    )
    application.add_api_route(
        "/api/v1/data/candles/{symbol}", handlers.candles, response_model=CandleList
    )
    application.add_api_route("/api/v1/monitoring/health", handlers.health, response_model=Health)
    # Connections wait for those that are slow, and for the other servers' turns.
    config = uvicorn.Config(
        application, log_level="error", access_log=False, timeout_keep_alive=KEEP_ALIVE_SECONDS
    )
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    server = asyncio.create_task(uvicorn.Server(config).serve([listener]))
    await serve_commands(listener.getsockname()[1], lambda _: None)
    server.cancel()
    await asyncio.to_thread(store.close)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
