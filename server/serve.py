"""`candlecast serve`: the server, and the simulator where that is the feed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from ingest.core.errors import SettingError
from ingest.core.symbol import Symbols
from server.app import Server
from server.exits import Exit
from server.log import KeptLog
from server.reload import Reload
from server.settings import SIMULATOR, Settings
from server.store import opened_store

SIMULATOR_START_SECONDS = 30.0
SIMULATED = 100
"""Symbols that the simulator has when patterns are to choose from them."""

SIMULATED_RATE = 1
"""Trades a second of a symbol: days of history load in seconds."""
LISTENING = b"listening on "

log = logging.getLogger(__name__)


async def serve(settings: Settings, simulator_options: Sequence[str] = ()) -> Exit:
    """Serve until SIGTERM or SIGINT, then shut down cleanly; a second one ends the drain."""
    signals: asyncio.Queue[None] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signals.put_nowait, None)
    with KeptLog(settings.secrets).attached() as kept_log:
        async with (
            _feed(settings, simulator_options) as fed,
            opened_store(fed) as store,
            _serving(Server(fed, store, kept_log), settings) as (server, url),
        ):
            _announce(fed, url)
            await signals.get()
            print("Shutting down: closing connections, storing received trades ...", flush=True)  # noqa: T201
            await _until_first(server.drain(), signals.get())
    return Exit.DONE


@asynccontextmanager
async def _serving(server: Server, settings: Settings) -> AsyncIterator[tuple[Server, str]]:
    """Listen, and read the settings again on SIGHUP; gives it and its base URL."""
    reload = Reload(settings, server.reloadable)
    async with server.listening() as url:
        reading = asyncio.create_task(reload.run(), name="reload")
        with contextlib.suppress(AttributeError):  # Windows has no such signal
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload.ask)
        try:
            yield server, url
        finally:
            reading.cancel()


async def _until_first(*calls: Coroutine[Any, Any, None]) -> None:
    """Wait until one of the calls has ended, and cancel the others."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def _feed(settings: Settings, options: Sequence[str]) -> AsyncIterator[Settings]:
    """The settings completed with the feed's URLs; starts the simulator if needed."""
    if settings.feed != SIMULATOR or settings.rest_url:
        yield settings
        return
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "simulator", "--port", "0", "--end-with-stdin"),
        *(options or _simulated(settings.symbols)),
        stdin=asyncio.subprocess.PIPE,  # never written to: the simulator ends on its EOF
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C goes to the server, which stops it last
    )
    try:
        url = await _address(process)
        yield replace(settings, rest_url=url, stream_url="")
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def _simulated(symbols: Symbols) -> Sequence[str]:
    """The simulator's options: the symbols' names, and some more for patterns to match."""
    named = ("--symbols", ",".join(symbols.names)) if symbols.names else ()
    more = ("--symbols-count", str(SIMULATED)) if symbols.patterns else ()
    return ("--rate", str(SIMULATED_RATE), *named, *more)


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None  # noqa: S101  # a pipe was asked for
    try:
        async with asyncio.timeout(SIMULATOR_START_SECONDS):
            line = await process.stdout.readline()
    except TimeoutError:
        line = b""
    if not line.startswith(LISTENING):
        raise SettingError(
            "The simulator did not start: correct --simulator by its error above (`candlecast "
            "simulate --help` lists its options), or set CANDLECAST_FEED=binance for the real "
            "exchange"
        )
    return line.removeprefix(LISTENING).decode().strip()


def _announce(settings: Settings, url: str) -> None:
    feed = "the real exchange" if settings.feed != SIMULATOR else "the SIMULATOR: made-up trades"
    lines = (
        f"Candlecast serves {url}",
        f"  feed        {feed} ({settings.feed_rest_url})",
        f"  symbols     {settings.symbols}",
        f"  store       {settings.store.split('@')[-1]}",
        f"  REST        {url}/api/v1       docs {url}/docs  {url}/redoc",
        f"  WebSocket   {url.replace('http', 'ws', 1)}/ws/stream",
    )
    print("\n".join(lines), flush=True)  # noqa: T201
