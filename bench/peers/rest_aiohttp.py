"""The REST endpoints in plain aiohttp: passes the engine's bytes on without validation."""

from __future__ import annotations

import asyncio
import sys
import time

import uvloop
from aiohttp import web

from bench.peers.commands import serve_commands
from bench.peers.rest_common import END_MS, filled_store, health
from generated.native.facts import CANDLE_FIELDS
from ingest.storage import Selection, Store


class Handlers:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def trades(self, request: web.Request) -> web.Response:
        symbol, query = request.match_info["symbol"], request.query
        limit = int(query["limit"])
        wanted = Selection(
            symbol, from_id=int(query["from_id"]), to_id=int(query["from_id"]) + limit - 1
        )
        sql, values = self._store.trades.query(wanted)
        sql += f" SETTINGS max_threads = 1, max_block_size = {max(limit, 1024)}"
        rows = await self._store.run(self._store.connection.formatted, sql, "JSONEachRow", values)
        return _reply(rows, f"Retrieved {limit} trades for {symbol}")

    async def candles(self, request: web.Request) -> web.Response:
        symbol, count = request.match_info["symbol"], int(request.query["limit"])
        sql, values = self._store.candles.source(symbol, 1, END_MS - count * 60_000, END_MS)
        sql = f"SELECT {', '.join(CANDLE_FIELDS[:-1])} FROM ({sql}) ORDER BY candle_time"
        sql += " SETTINGS max_threads = 1"
        rows = await self._store.run(self._store.connection.formatted, sql, "JSONEachRow", values)
        return _reply(rows, f"Retrieved {count} candles for {symbol}")

    async def health(self, _: web.Request) -> web.Response:
        return web.json_response(health())


def _reply(rows: bytes, message: str) -> web.Response:
    tail = f',"message":"{message}","timestamp":{time.time_ns() // 1_000_000},"error":null}}'
    body = b'{"success":true,"data":' + rows + tail.encode()
    return web.Response(body=body, content_type="application/json")


async def main(directory: str) -> None:
    store = await asyncio.to_thread(filled_store, directory)
    handlers = Handlers(store)
    application = web.Application()
    application.router.add_get("/api/v1/data/trades/{symbol}", handlers.trades)
    application.router.add_get("/api/v1/data/candles/{symbol}", handlers.candles)
    application.router.add_get("/api/v1/monitoring/health", handlers.health)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await serve_commands(runner.addresses[0][1], lambda _: None)
    await runner.cleanup()
    await asyncio.to_thread(store.close)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
