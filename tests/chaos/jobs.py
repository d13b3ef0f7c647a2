"""`make jobs`: a day's backfill, an audit and a backup beside a server under load.

Backfill and audit are each cancelled, submitted again, cut off by a kill and taken up after it. In
the end the store, and a store that is restored from the backup, have no difference, and the candles
of the day are those of the exchange's trades.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from server.exits import Exit
from tests.chaos.exchange import Exchange
from tests.chaos.process import ServerProcess
from tests.cli.programs import Program, Result
from tests.e2e.api import Api
from tests.e2e.client import Client, wire
from tests.factories import naive_candles

SYMBOLS = ("AAAUSDT", "BBBUSDT", "CCCUSDT", "DDDUSDT", "EEEUSDT")
MINUTE_MS = 60_000
DAY_MS = 1440 * MINUTE_MS
MIDNIGHT = 1_710_460_800_000
"""2024-03-15, on whose morning the simulated exchange starts."""
DAY = ("--from", "2024-03-14")
CLIENTS = 50
READERS = 4
TIMEFRAMES = (1, 7, 173)
COMPARED = (7, 173)
JOB_SECONDS = 1800.0


class Load:
    """Clients that subscribe and read, for as long as there is a server; they connect again."""

    def __init__(self) -> None:
        self.url: str | None = None
        """The server that runs at present."""
        self.received = 0
        self.read = 0
        self.longest_gap = 0.0
        """Seconds between two messages to one client over one connection."""
        self.slowest = 0.0
        """Seconds for a page of candles."""

    @asynccontextmanager
    async def put_on(self) -> AsyncIterator[None]:
        """The load, for as long as the context."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._again(self._watch, at)) for at in range(CLIENTS)]
            tasks += [group.create_task(self._again(self._read, at)) for at in range(READERS)]
            yield
            for task in tasks:
                task.cancel()

    async def _again(self, life: Callable[[str, int], Awaitable[None]], number: int) -> None:
        while True:
            if (url := self.url) is not None:
                with contextlib.suppress(aiohttp.ClientError, TypeError):  # TypeError: it is closed
                    await life(url, number)
            await asyncio.sleep(0.1)

    async def _watch(self, url: str, number: int) -> None:
        async with Client.connect(url) as client:
            for at in (number, number + 1):
                await client.subscribe(SYMBOLS[at % len(SYMBOLS)], TIMEFRAMES, candles=20)
            last = None
            while self.url == url:
                await client.receive(60)
                now = time.monotonic()
                self.longest_gap = max(self.longest_gap, now - (last or now))
                last = now
                self.received += 1
                client.messages.clear()
                client.received.clear()

    async def _read(self, url: str, number: int) -> None:
        path = f"{url}/api/v1/data/candles/{SYMBOLS[number]}?timeframe=7&limit=200"
        async with aiohttp.ClientSession() as session:
            while self.url == url:
                began = time.monotonic()
                async with session.get(path) as reply:
                    await reply.read()
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.read += 1
                await asyncio.sleep(0.05)


class Jobs:
    """The jobs of a server, over several lives of it."""

    def __init__(self, program: Program, log: Path, load: Load) -> None:
        self._program = program
        self._log = log
        self._load = load
        self._session = aiohttp.ClientSession()
        self._process: ServerProcess | None = None
        self.api = Api(self._session, "")

    async def start(self) -> None:
        """Start the server, with the load on it once it is complete."""
        values = {"store": self._program.dsn, "symbols": ",".join(SYMBOLS), "history": "10m"}
        self._process = await ServerProcess.start(
            self._program.exchange_url, self._log, archive_url=self._program.exchange_url,
            websockets_per_ip="1000", **values,
        )  # fmt: skip
        self.api = Api(self._session, await self._process.url())
        await self.api.until_complete()
        self._load.url = self.api.url

    async def kill(self) -> None:
        """End the server as a power cut does."""
        assert self._process is not None
        self._load.url = None
        await self._process.kill()

    async def end(self) -> None:
        """End the server as an operator does."""
        self._load.url = None
        await self._session.close()
        if self._process is not None:
            assert await self._process.terminate() == 0

    async def cut_short(self, *command: str) -> Any:
        """A command is cancelled by Ctrl-C, and again started, and killed with its server.

        Gives the job that the next server has ended.
        """
        cancelled = await self._program.start(*command)
        await self._until_begun()
        cancelled.send_signal(signal.SIGINT)
        _, errors = await cancelled.communicate()
        assert cancelled.returncode == Exit.INTERRUPTED, errors.decode()
        detached = await self._program.run(*command, "--detach")
        assert detached.status == 0, detached.errors
        job_id = await self._until_begun()
        await self.kill()
        await self.start()
        job = await self.api.until_over(job_id, JOB_SECONDS)
        lines = (await self._program.run("jobs", "follow", str(job_id))).output
        ended = (job["state"], job["exit_status"], job["taken_up"])
        assert ended == ("done", 0, 1), f"{job}\n{lines}"
        return job

    async def _until_begun(self) -> int:
        """The number of the newest job, half a second after it began."""
        async with asyncio.timeout(60):
            while not (running := await self._running()):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)
        assert await self._running() == running, f"job {running[0]} is over too soon"
        return running[0]

    async def _running(self) -> list[int]:
        listed = await self.api.get("admin/jobs")
        return [job["job_id"] for job in listed if job["state"] == "running"]


@asynccontextmanager
async def ended(jobs: Jobs) -> AsyncIterator[None]:
    """Ends the server after the context, however that ends."""
    try:
        yield
    finally:
        await jobs.end()


async def exact_days(api: Api, exchange: Exchange) -> int:
    """Compare the day's candles with the exchange's own trades; gives how many."""
    count = 0
    for symbol in SYMBOLS:
        first_id = (await api.get(f"tickers/{symbol}"))["first_aggregate_id"]
        newer = await exchange.trades(symbol, first_id)
        trades = [each for each in newer if each.timestamp < MIDNIGHT]
        assert trades[0].timestamp < MIDNIGHT - DAY_MS + MINUTE_MS, symbol
        for timeframe in COMPARED:
            width = timeframe * MINUTE_MS
            first = -(-(MIDNIGHT - DAY_MS) // width) * width
            last = MIDNIGHT // width * width
            inside = [each for each in trades if first <= each.timestamp < last]
            expected = [wire(row) for row in naive_candles(inside, timeframe, last - width)]
            assert await api.candles(symbol, timeframe, first, last) == expected, symbol
            count += len(expected)
    return count


async def run(rate: float) -> None:
    """Do all of it, and print the figures."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        market = ("--symbols", ",".join(SYMBOLS), "--rate", str(rate), "--seed", "15")
        async with Exchange.started(*market, "--clock-start", "2024-03-15T00:30Z") as exchange:
            load = Load()
            program = Program(directory, exchange.url, ",".join(SYMBOLS))
            jobs = Jobs(program, directory / "log", load)
            async with load.put_on(), ended(jobs):
                await jobs.start()
                backfill = await jobs.cut_short("backfill", *DAY)
                stored = sum(each["stored"] for each in backfill["progress"])
                print(f"backfill: {stored:,} trades after the kill")
                audit = await jobs.cut_short("audit")
                print(f"audit: {audit['state']}, status {audit['exit_status']}")
                made = await program.run("backup")
                assert made.status == 0, made.errors
                print(f"compared: {await exact_days(jobs.api, exchange):,} candles")
            await restored(program, made)
            print(
                f"load: {load.received:,} messages to {CLIENTS} clients, the longest gap"
                f" {load.longest_gap:.2f} s; {load.read:,} pages, the slowest {load.slowest:.2f} s"
            )
            log = (directory / "log").read_text(errors="replace")
            assert " ERROR " not in log, log
            assert "Traceback" not in log, log


async def restored(program: Program, made: Result) -> None:
    """The backup, restored elsewhere, has no difference."""
    backup = made.output.partition(": ")[0]
    elsewhere = {"store": f"{program.dsn}.restored"}
    answer = await program.run("restore", backup, **elsewhere)
    assert answer.status == 0, answer.errors
    audited = await program.run("audit", **elsewhere)
    assert (audited.status, "no difference" in audited.output) == (0, True), audited.output
    print(f"restored: {audited.output.strip()}")


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=5.0, help="trades a second of each symbol")
    asyncio.run(run(parser.parse_args().rate))
    return 0


if __name__ == "__main__":
    sys.exit(main())
