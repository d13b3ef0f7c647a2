"""Endpoints on a port, from the start of a command to its end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

from aiohttp import web

from asyncapi_server.serving import paths
from asyncapi_server.serving.endpoint import Endpoint


@asynccontextmanager
async def listening(
    endpoints: Mapping[str, Endpoint], host: str, port: int, app: web.Application | None = None
) -> AsyncIterator[str]:
    """Serve endpoints by their paths at a port, 0 for a free one; yields the base URL.

    `app` has other routes. Raises OSError when the port cannot be had.
    """
    app = app or web.Application()
    for path, endpoint in endpoints.items():
        app.router.add_get(paths.route(path), endpoint.handle)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        shown = f"[{host}]" if ":" in host else host
        yield f"ws://{shown}:{runner.addresses[0][1]}"
    finally:
        await asyncio.gather(*(endpoint.close_all() for endpoint in endpoints.values()))
        await runner.cleanup()


async def stopped() -> None:
    """Wait until the process is interrupted or terminated."""
    event = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # on Windows, which raises KeyboardInterrupt
            loop.add_signal_handler(number, event.set)
    await event.wait()
