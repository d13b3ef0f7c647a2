"""Runs the clients' programs against a simulated exchange and a server that follows it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from generated.native.facts import DataQuality
from tests import running
from tests.interop import environments
from tests.interop.catalogue import SERVER, SIMULATOR, Client
from tests.interop.relay import CERTIFICATE, relay

SYMBOLS: Final = "BTCUSDT,ETHUSDT"
DAYS: Final = 8
JOBS: Final = 6
PROGRAM_SECONDS: Final = 300.0
SHOWN_LINES: Final = 25


@dataclass
class Result:
    """What a client's program found; `failure` is the end of its output."""

    client: Client
    against: str
    seconds: float = 0.0
    version: str = ""
    compared: Mapping[str, int] = field(default_factory=dict)
    failure: str = ""

    @property
    def values(self) -> int:
        """How many values were compared."""
        return sum(self.compared.values())


class World:
    """The programs that clients speak to, and the environments of these."""

    def __init__(self, hosts: Mapping[str, str], tls: Mapping[str, str], folder: Path) -> None:
        self._hosts = hosts
        self._tls = tls
        self._folder = folder
        self._turns = asyncio.Semaphore(JOBS)

    async def run(
        self, clients: Iterable[Client], *, python: Callable[[str], str] = environments.python
    ) -> AsyncIterator[Result]:
        """Run clients, a few at a time; gives each result as it comes.

        `python` is the interpreter of an environment.
        """
        runs = [
            self._one(client, against, python(client.environment))
            for client in clients
            for against in client.against
        ]
        for each in asyncio.as_completed(runs):
            yield await each

    async def _one(self, client: Client, against: str, python: str) -> Result:
        async with self._turns:
            started = time.monotonic()
            output, status = await self._program(client, against, python)
        result = Result(client, against, time.monotonic() - started)
        lines = output.strip().splitlines()
        if status:
            result.failure = "\n".join(lines[-SHOWN_LINES:])
        else:
            answer = json.loads(lines[-1])
            result.version, result.compared = answer["version"], answer["compared"]
        return result

    async def _program(self, client: Client, against: str, python: str) -> tuple[str, int | None]:
        folder = self._folder / f"{client.program}-{against}"
        folder.mkdir()
        environment = {
            **{name: text for name, text in os.environ.items() if "CANDLECAST" not in name},
            "PYTHONPATH": str(running.ROOT),
            "SSL_CERT_FILE": str(CERTIFICATE),
            "INTEROP_AGAINST": against,
            "INTEROP_HOST": self._hosts[against],
            "INTEROP_TLS_HOST": self._tls[against],
            "INTEROP_OURS": self._hosts[SERVER],
            "INTEROP_NODE": str(environments.NODE),
        }
        output = folder / "output.txt"
        with output.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                *(python, "-m", f"tests.interop.clients.{client.program}"),
                cwd=folder,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        late = ""
        try:
            async with asyncio.timeout(PROGRAM_SECONDS):
                await process.wait()
        except TimeoutError:
            late = f"\nit did not end within {PROGRAM_SECONDS:.0f} s"
        finally:
            with contextlib.suppress(ProcessLookupError):  # what it started may outlive it
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        return output.read_text("utf-8", "replace") + late, process.returncode


@asynccontextmanager
async def world(days: int = DAYS) -> AsyncIterator[World]:
    """An exchange whose history begins some days ago, and a server that has all of it."""
    genesis = datetime.now(UTC).replace(hour=0, minute=0) - timedelta(days=days)
    options = ["--symbols", SYMBOLS, "--rate", "1", "--genesis", f"{genesis:%Y-%m-%dT%H:%MZ}"]
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="interop-")))
        limits = ("--weight-limit", "1000000000", "--connect-limit", "1000000")
        exchange = await stack.enter_async_context(running.simulator(*options, *limits))
        chosen = running.settings(
            exchange,
            folder,
            symbols=SYMBOLS,
            history=f"{days + 2}d",
            requests_per_minute="1000000",
            request_burst="1000000",
            websockets_per_ip="200",
        )
        server, url = await stack.enter_async_context(running.server(chosen))
        feeds = server.provider.feeds.values()
        await running.until(
            lambda: all(feed.status.quality is DataQuality.COMPLETE for feed in feeds), 300
        )
        hosts = {SIMULATOR: exchange.partition("//")[2], SERVER: url.partition("//")[2]}
        tls = {name: await stack.enter_async_context(relay(host)) for name, host in hosts.items()}
        yield World(hosts, tls, folder)
