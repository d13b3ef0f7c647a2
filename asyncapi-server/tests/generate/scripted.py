"""A server of rooms_3.1.yaml that does what a test wants, to see what clients make of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

CLOSE = {"close": 1000}
"""Ends the connection in place of an answer."""


class Scripted:
    """Keeps what it gets, and sends what it is given."""

    def __init__(self) -> None:
        self.url = ""
        self.opened: list[web.Request] = []
        self.received: asyncio.Queue[str] = asyncio.Queue()
        self._sockets: list[web.WebSocketResponse] = []

    async def send(self, *texts: str | bytes) -> None:
        """Send messages to the newest client."""
        for text in texts:
            if isinstance(text, bytes):
                await self._sockets[-1].send_bytes(text)
            else:
                await self._sockets[-1].send_str(text)

    async def close(self, code: int = 1000) -> None:
        """Close the newest connection."""
        await self._sockets[-1].close(code=code)

    async def abort(self) -> None:
        """End the newest connection without closing it."""
        transport = self.opened[-1].transport
        assert transport is not None
        transport.abort()

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.opened.append(request)
        self._sockets.append(socket)
        async for message in socket:
            await self.received.put(message.data)
        return socket


@asynccontextmanager
async def scripted() -> AsyncIterator[Scripted]:
    server = Scripted()
    application = web.Application()
    application.router.add_get("/refused/{rest:.*}", _refused)
    application.router.add_get("/{rest:.*}", server.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.url = f"ws://127.0.0.1:{runner.addresses[0][1]}"
        yield server
    finally:
        await runner.cleanup()


async def _refused(_: web.Request) -> Any:
    raise web.HTTPForbidden(text="not you")
