"""The program itself, run as people run it, in a directory of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import NamedTuple

import aiohttp

from ingest.storage import Store
from tests.running import ROOT

END_SECONDS = 600.0


class Result(NamedTuple):
    """How a command ended."""

    status: int
    output: str
    errors: str


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Program:
    """Runs commands of `candlecast` on one store, fed by one exchange."""

    def __init__(self, directory: Path, exchange_url: str, symbols: str = "BTCUSDT") -> None:
        self.directory = directory
        self.exchange_url = exchange_url
        self.dsn = f"chdb:///{directory}/db"
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("CANDLECAST_")},
            "PYTHONPATH": str(ROOT),
            "CANDLECAST_REST_URL": exchange_url,
            "CANDLECAST_STORE": self.dsn,
            **({"CANDLECAST_SYMBOLS": symbols} if symbols else {}),
            "CANDLECAST_CONFIRM_SECONDS": "1",
        }

    async def start(self, *arguments: str, **settings: str) -> Process:
        """A command that runs."""
        changed = {f"CANDLECAST_{name.upper()}": text for name, text in settings.items()}
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "server.cli", *arguments),
            cwd=self.directory,
            env={**self._environment, **changed},
            stdout=PIPE,
            stderr=PIPE,
        )

    async def run(self, *arguments: str, **settings: str) -> Result:
        """A command that ended."""
        process = await self.start(*arguments, **settings)
        async with asyncio.timeout(END_SECONDS):
            output, errors = await process.communicate()
        assert process.returncode is not None
        return Result(process.returncode, output.decode(), errors.decode())

    async def order(self, kind: str, **what: object) -> None:
        """Have the simulated exchange misbehave."""
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.exchange_url}/control/{kind}", json=what) as reply,
        ):
            assert reply.status == 200, await reply.text()

    async def requests(self, path: str) -> int:
        """How many of the newest 1000 requests to the exchange were to this path."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.exchange_url}/control/state?requests=1000") as reply,
        ):
            return sum(path in request["path"] for request in (await reply.json())["requests"])

    def store(self) -> Store:
        """The store, which no command may need meanwhile."""
        return Store(self.dsn)
