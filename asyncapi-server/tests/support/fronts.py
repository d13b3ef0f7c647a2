"""An endpoint at a port of its own, by aiohttp or as a route of Starlette under uvicorn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from aiohttp import web
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from asyncapi_server import Endpoint
from asyncapi_server.serving.asgi import AsgiEndpoint

Front = Endpoint | AsgiEndpoint
FRONTS: tuple[type[Front], ...] = (Endpoint, AsgiEndpoint)


@asynccontextmanager
async def served(endpoint: Front, path: str) -> AsyncIterator[str]:
    """Serve an endpoint at a path; yields the URL of its host and port."""
    serving = _by_aiohttp if isinstance(endpoint, Endpoint) else _by_uvicorn
    async with serving(endpoint, path) as port:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            await endpoint.close_all()


@asynccontextmanager
async def _by_aiohttp(endpoint: Front, path: str) -> AsyncIterator[int]:
    assert isinstance(endpoint, Endpoint)
    application = web.Application()
    application.router.add_get(path, endpoint.handle)
    runner = web.AppRunner(application, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _by_uvicorn(endpoint: Front, path: str) -> AsyncIterator[int]:
    assert isinstance(endpoint, AsgiEndpoint)
    application = Starlette(routes=[WebSocketRoute(path, endpoint)])
    config = uvicorn.Config(
        application, port=0, ws="websockets-sansio", lifespan="off", log_level="warning"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:  # noqa: ASYNC110 - it has no event for that
            await asyncio.sleep(0.005)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await serving
