"""`make fuzz`: one server under everything at once, for MINUTES.

REST by schemathesis, WebSocket messages by the contract tests, requests and frames that break the
protocols, guessed keys, sockets that are slow, half open or never read. Afterwards nothing has
failed, nothing is left open, and the memory is what it was after a first round.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import yaml

from generated.native.facts import KeyScope
from ingest.binance.now import host_ms
from server.edge.keyfile import changing
from server.edge.keys import new_key
from tests.chaos.exchange import Exchange
from tests.chaos.process import ServerProcess
from tests.chaos.test_strangers import break_in, knock
from tests.running import ROOT

MARKET = ("--symbols", "AAAUSDT,BBBUSDT", "--rate", "2", "--seed", "8")
HISTORY = "2d"
"""So that there is a candle of a day."""
READY_SECONDS = 120.0
MESSAGES = 1000
"""Of one run of the contract tests; they are run again and again."""
GROWTH_BYTES = 60_000_000
"""Bytes that memory may gain: pools of threads and of the engine grow to the highest load."""
SLOW = 20
"""Sockets that send slowly, at all times."""
SPARE_FILES = 8
"""Of the engine, which opens parts as it merges them."""
QUIET_SECONDS = 60.0
FIRST_SECONDS = 60.0
REQUESTS = "candlecast_request_duration_seconds_count"
DOCUMENTS = (
    ("openapi.json", "/api/v1"),
    ("binance.openapi.json", ""),
    ("kraken.openapi.json", "/kraken/0"),
    ("udf.openapi.json", ""),
)
LEFT_OUT = ("submit_job", "follow_symbol", "end_symbol")
"""Operations that change what the server has: the others need it."""
PROGRAMS = Path(sys.executable).parent

NOT_COMPLETE = "503"
"""As documented: for data that is not complete, or a candle that is longer than the history."""

BROKEN_OFF = "requests that ended in an error of their generator"

_ANSWERED = re.compile(r"^\[(5\d\d)\] ", re.MULTILINE)
_COUNT = re.compile(r"^([\d,]+) messages over ", re.MULTILINE)
_SAMPLE = re.compile(r"^(\w+)(?:\{(.*?)\})? (\S+)$", re.MULTILINE)


class Fuzz:
    """The attackers of one server."""

    def __init__(self, url: str, key: str, document: Path, seed: int) -> None:
        self.url = url
        self.port = urlsplit(url).port or 0
        self.done: Counter[str] = Counter()
        self._key = key
        self._document = document
        self._chance = random.Random(seed)
        self._failed: list[str] = []

    async def round(self, seconds: float) -> None:
        """All of them, for so long."""
        ends = time.monotonic() + seconds
        attackers: tuple[Callable[[], Awaitable[None]], ...] = (
            self._strange, self._silent, self._guess, *[self._slow] * SLOW,
        )  # fmt: skip
        async with asyncio.TaskGroup() as group:
            group.create_task(self._repeated(ends, self._requests))
            group.create_task(self._repeated(ends, self._messages))
            for attack in attackers:
                group.create_task(self._repeated(ends, attack))

    def check(self) -> None:
        """Fail with what a program has found."""
        assert not self._failed, f"{len(self._failed)} runs failed\n" + "\n".join(self._failed[:3])

    async def _repeated(self, ends: float, attack: Callable[[], Awaitable[None]]) -> None:
        while (left := ends - time.monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await attack()
                    self.done[attack.__name__.strip("_")] += 1

    async def _requests(self) -> None:
        name, base = self._chance.choice(DOCUMENTS)
        output, status = await self._program(
            *("schemathesis", "run", str(ROOT / "generated" / name), "--url", self.url + base),
            *("--checks", "not_a_server_error", "--mode", "all", "--max-examples", "50"),
            *("--seed", str(self._chance.randrange(10**6)), "--no-color", "--workers", "2"),
            *("--header", f"Authorization: Bearer {self._key}"),
            *(each for name in LEFT_OUT for each in ("--exclude-operation-id", name)),
        )
        answered = {*_ANSWERED.findall(output)}
        if answered - {NOT_COMPLETE}:
            self._failed.append(output)
        elif status and not answered:
            self.done[BROKEN_OFF] += 1

    async def _messages(self) -> None:
        output, status = await self._program(
            *("asyncapi-server", "test", str(self._document)),
            *("--url", self.url.replace("http", "ws", 1) + "/ws/stream"),
            *("--messages", str(MESSAGES), "--seed", str(self._chance.randrange(10**6))),
        )
        if status:
            self._failed.append(output)
        self.done["messages sent"] += int(_COUNT.findall(output)[-1].replace(",", ""))

    async def _program(self, name: str, *arguments: str) -> tuple[str, int]:
        """Run a program; what it prints, and its exit status."""
        process = await asyncio.create_subprocess_exec(
            PROGRAMS / name,
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            output, _ = await process.communicate()
        except asyncio.CancelledError:
            process.kill()
            await process.wait()
            raise
        return output.decode(), process.returncode or 0

    async def _strange(self) -> None:
        await asyncio.gather(
            *(knock(self._chance, self.port) for _ in range(10)),
            *(break_in(self._chance, self.port) for _ in range(4)),
        )

    async def _slow(self) -> None:
        """A request that comes byte by byte, and then no further."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            with contextlib.suppress(ConnectionError):
                for byte in b"GET /api/v1/tickers/ HTTP/1.1\r\nHost: localhost\r\nX-A: ":
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await asyncio.sleep(0.05)
                await reader.read()
        finally:
            writer.close()

    async def _silent(self) -> None:
        """A client that subscribes and never reads; the socket goes away without a word."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1024)
        try:
            with contextlib.suppress(ConnectionError, asyncio.LimitOverrunError):
                writer.write(
                    b"GET /ws/stream HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
                    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                )
                await reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(self._chance.uniform(0, 3))
        finally:
            writer.transport.abort()

    async def _guess(self) -> None:
        key = f"cck_{self._chance.randrange(16**8):08x}_{'x' * 43}"
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as session:
            for _ in range(5):
                async with session.get(f"{self.url}/api/v1/admin/log") as reply:
                    assert reply.status in (401, 429), await reply.text()
        await asyncio.sleep(0.5)


class Measures:
    """The measures of a server at one moment."""

    def __init__(self, text: str) -> None:
        self._samples = [
            (name, labels, float(value)) for name, labels, value in _SAMPLE.findall(text)
        ]

    def total(self, name: str, labels: str = "") -> float:
        """The sum of the samples of a name whose labels have a text in them."""
        return sum(value for each, of, value in self._samples if each == name and labels in of)


async def measures(url: str) -> Measures:
    """Ask a server."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as reply:
        assert reply.status == 200
        return Measures(await reply.text())


async def quiet(url: str) -> Measures:
    """The measures once no connection is open any more."""
    ends = time.monotonic() + QUIET_SECONDS
    while True:
        found = await measures(url)
        if not (count := found.total("candlecast_websocket_connections")):
            return found
        assert time.monotonic() < ends, f"{count:.0f} connections are left open"
        await asyncio.sleep(1)


async def until_ready(url: str) -> None:
    """Wait until every symbol is complete."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(READY_SECONDS):
        status = 0
        while status != 200:
            await asyncio.sleep(0.2)
            async with session.get(f"{url}/api/v1/monitoring/ready") as reply:
                status = reply.status


def without_keys(directory: Path) -> Path:
    """The stream's document, but for the message whose wrong keys close a connection."""
    specs = shutil.copytree(ROOT / "specs", directory / "specs")
    path = specs / "stream.asyncapi.yaml"
    document = yaml.safe_load(path.read_text("utf-8"))
    del document["operations"]["authenticate"]
    del document["channels"]["stream"]["messages"]["authenticate"]
    path.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
    return path


async def run(minutes: float, seed: int) -> None:
    """Attack, and look at what is left."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        made, key = new_key("fuzz", [KeyScope.ADMIN], host_ms(), requests_per_minute=10_000_000)
        with changing(directory / "keys.json") as keys:
            keys[made.id] = made
        values = {
            "symbols": "AAAUSDT,BBBUSDT", "history": HISTORY, "store": f"chdb:///{name}/db",
            "keys_file": f"{name}/keys.json", "allowed_hosts": "desk.localhost",
            "websockets_per_ip": "1000",
        }  # fmt: skip
        async with (
            Exchange.started(*MARKET) as exchange,
            ServerProcess.running(
                exchange.url, directory / "log", archive_url=exchange.url, **values
            ) as process,
        ):
            url = await process.url()
            await until_ready(url)
            fuzz = Fuzz(url, key, without_keys(directory), seed)
            await fuzz.round(FIRST_SECONDS)
            before = await quiet(url)
            await fuzz.round(minutes * 60)
            after = await quiet(url)
            fuzz.check()
            memory = "process_resident_memory_bytes"
            grown = after.total(memory) - before.total(memory)
            opened = after.total("process_open_fds") - before.total("process_open_fds")
            failed = after.total(REQUESTS, 'status="5xx"')
            log = (directory / "log").read_text(errors="replace")
        faults = [line for line in log.splitlines() if " ERROR " in line or "Traceback" in line]
        print(", ".join(f"{count:,} {what}" for what, count in sorted(fuzz.done.items())))
        print(
            f"{after.total(REQUESTS):,.0f} requests, {failed:.0f} of them {NOT_COMPLETE}; "
            f"memory {grown / 1e6:+.1f} MB; {opened:+.0f} open files; {len(faults)} faults"
        )
        assert not faults, "\n".join(faults[:20])
        assert fuzz.done["requests"] > fuzz.done[BROKEN_OFF]
        assert grown < GROWTH_BYTES
        assert opened <= SPARE_FILES, "a descriptor is left open"


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    asyncio.run(run(options.minutes, options.seed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
