"""The server as `candlecast serve` runs it: a process that can be killed at any moment."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from server.settings import PREFIX
from tests.running import ROOT

START_SECONDS = 60.0
SERVES = b"Candlecast serves "


class ServerProcess:
    """One life of the server over a database that outlives it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.started = time.monotonic()

    @classmethod
    async def start(cls, exchange_url: str, log: Path | None, **settings: str) -> ServerProcess:
        """Start it; its words go to the end of the file `log`, or nowhere."""
        values = {"rest_url": exchange_url, "port": "0", "requests_per_minute": "1000000"}
        values |= {"messages_per_second": "100000", "message_burst": "100000"}
        values |= {"request_burst": "1000000", **settings}
        environment = {f"{PREFIX}{name.upper()}": value for name, value in values.items()}
        with open(log or os.devnull, "ab") as file:  # noqa: ASYNC230  # it is there at once
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "server.cli", "serve"),
                cwd=ROOT,
                env={**os.environ, **environment},
                stdout=asyncio.subprocess.PIPE,
                stderr=file,
            )
        return cls(process)

    @classmethod
    @asynccontextmanager
    async def running(
        cls, exchange_url: str, log: Path | None, **settings: str
    ) -> AsyncIterator[ServerProcess]:
        """Start it for as long as the context; it has to end by itself when asked to."""
        server = await cls.start(exchange_url, log, **settings)
        try:
            yield server
            assert await server.terminate() == 0
        finally:
            if server._process.returncode is None:
                server._process.kill()
                await server._process.wait()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    async def url(self) -> str:
        """Wait until it serves; gives its base URL."""
        assert self._process.stdout is not None
        async with asyncio.timeout(START_SECONDS):
            line = await self._process.stdout.readline()
        assert line.startswith(SERVES), f"the server did not start: {line!r}"
        return line.removeprefix(SERVES).decode().strip()

    async def kill(self) -> None:
        """End it as a power cut does."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        status = await self._process.wait()
        assert status == -signal.SIGKILL, f"the server had ended by itself with status {status}"

    async def terminate(self) -> int:
        """Ask it to end; returns its exit status."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        async with asyncio.timeout(START_SECONDS):
            await self._process.communicate()
        return self._process.returncode or 0
