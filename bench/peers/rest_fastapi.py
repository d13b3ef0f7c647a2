"""The REST endpoints in FastAPI with response models, under uvicorn: rows, objects, validation."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from typing import Annotated

import uvicorn
import uvloop
from fastapi import FastAPI, Path, Query
from pydantic import BaseModel

from bench.peers.commands import serve_commands
from bench.peers.rest_common import filled_store, rows
from generated.models import Health
from ingest.storage import Store


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


FIELDS = tuple(Trade.model_fields)


class Handlers:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def trades(
        self,
        symbol: Annotated[str, Path(pattern="^[A-Z0-9]{2,20}$")],
        from_id: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    ) -> dict[str, object]:
        found = await self._store.run(rows, self._store, symbol, from_id, limit)
        return {
            "success": True,
            "data": [dict(zip(FIELDS, row, strict=True)) for row in found],
            "message": f"Retrieved {len(found)} trades for {symbol}",
            "timestamp": time.time_ns() // 1_000_000,
            "error": None,
        }

    async def health(self) -> dict[str, object]:
        return {
            "status": "healthy",
            "components": {
                "initialized": True,
                "binance_client": {"connected": True},
                "weight_coordinator": {"active": True, "healthy": True},
                "tickers": {"active_tasks": 1, "healthy_processors": 1},
                "websocket_manager": {"connections": 0, "active_symbols": 0},
            },
            "timestamp": time.time_ns() // 1_000_000,
            "uptime_seconds": 1,
        }


async def main(directory: str) -> None:
    store = await asyncio.to_thread(filled_store, directory)
    handlers = Handlers(store)
    application = FastAPI()
    application.add_api_route(
        "/api/v1/data/trades/{symbol}", handlers.trades, response_model=TradeList
    )
    application.add_api_route("/api/v1/monitoring/health", handlers.health, response_model=Health)
    config = uvicorn.Config(application, log_level="error", access_log=False)
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    server = asyncio.create_task(uvicorn.Server(config).serve([listener]))
    await serve_commands(listener.getsockname()[1], lambda _: None)
    server.cancel()
    await asyncio.to_thread(store.close)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
