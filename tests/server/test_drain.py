"""Before the end clients are disconnected one by one, and none may connect anew."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp

from generated.native.facts import ErrorCode
from tests.running import server, settings, simulator, until

CLIENTS = 4
SECONDS = "8"


async def test_clients_leave_one_by_one(tmp_path: Path) -> None:
    async with (
        simulator("--symbols", "BTCUSDT") as exchange,
        server(
            settings(exchange, tmp_path, symbols="BTCUSDT", history="1m", drain_seconds=SECONDS)
        ) as (running, url),
        aiohttp.ClientSession() as session,
        AsyncExitStack() as stack,
    ):
        sockets = [
            await stack.enter_async_context(session.ws_connect(f"{url}/ws/stream"))
            for _ in range(CLIENTS)
        ]
        other = await stack.enter_async_context(session.ws_connect(f"{url}/kraken"))
        readings = [asyncio.create_task(_read(socket)) for socket in [*sockets, other]]
        await until(lambda: len(running.native.endpoint.connections) == CLIENTS)
        draining = asyncio.create_task(running.drain())
        await asyncio.wait(readings, return_when=asyncio.FIRST_COMPLETED)
        open_then = sum(not reading.done() for reading in readings)
        assert open_then >= CLIENTS - 1, "the others stay for a while"
        async with session.get(f"{url}/api/v1/monitoring/ready") as reply:
            problem = (await reply.json())["problems"][0]
            assert (reply.status, problem["component"]) == (503, "server")
        async with session.get(f"{url}/api/v1/data/trades/BTCUSDT/latest") as reply:
            assert reply.status == 200, "requests are answered as ever"
        headers = {"Connection": "Upgrade", "Upgrade": "websocket"}
        async with session.get(f"{url}/ws/stream", headers=headers) as reply:
            refusal = await reply.json()
            assert (reply.status, refusal["error_code"]) == (503, ErrorCode.SERVICE_UNAVAILABLE)
            assert int(reply.headers["Retry-After"]) > 0
        received = await asyncio.gather(*readings)
        for texts in received[:CLIENTS]:
            farewell = json.loads(texts[-1])
            assert "again after a pause" in str(farewell)
            assert farewell["type"] == "error"
        assert [socket.close_code for socket in [*sockets, other]] == [1001] * (CLIENTS + 1)
        await draining


async def _read(socket: aiohttp.ClientWebSocketResponse) -> list[str]:
    return [message.data async for message in socket]
