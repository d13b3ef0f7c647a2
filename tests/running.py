"""The real programs, started for a test: the simulated exchange and the server."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from ingest.storage import Store
from server import settings as server_settings
from server.app import Server
from server.log import KeptLog
from server.settings import Settings

ROOT = Path(__file__).parent.parent
RECORDINGS = ROOT.parent / "shared" / "data"
START_SECONDS = 30.0


@asynccontextmanager
async def simulator(*options: str) -> AsyncIterator[str]:
    """A simulated exchange in a process of its own; gives its base URL.

    In real time no minute is without trades: tests wait for the next.
    """
    if "--speed" not in options:
        options = ("--quiet", "0", *options)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", "--port", "0", "--end-with-stdin", *options),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,  # it ends with this process, however that ends
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_SECONDS):
            line = (await process.stdout.readline()).decode()
        assert line.startswith("listening on "), "the simulator did not start"
        yield line.removeprefix("listening on ").strip()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def settings(exchange_url: str, directory: Path, **values: str) -> Settings:
    """The settings of a server that is fed by `exchange_url` and keeps its data in `directory`."""
    environment = {
        "rest_url": exchange_url,
        "stream_url": exchange_url.replace("http", "ws", 1),
        "store": f"chdb:///{directory}/db",
        "port": "0",
        "confirm_seconds": "1",
        **values,
    }
    return server_settings.load(
        {f"{server_settings.PREFIX}{name.upper()}": text for name, text in environment.items()},
        env_file=Path(os.devnull),
    )


@asynccontextmanager
async def server(chosen: Settings) -> AsyncIterator[tuple[Server, str]]:
    """A server in this process that checks each message it sends; gives it and its base URL."""
    store = await asyncio.to_thread(Store, chosen.store)
    try:
        with KeptLog(chosen.secrets).attached() as kept_log:
            running = Server(chosen, store, kept_log, check_messages=True)
            async with running.listening() as url:
                yield running, url
    finally:
        await asyncio.to_thread(store.close)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


async def until(holds: Callable[[], bool], seconds: float = 120) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  # a condition of the program, not of the test
            await asyncio.sleep(0.1)
