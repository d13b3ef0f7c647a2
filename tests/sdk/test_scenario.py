"""Both clients, the TypeScript one also in a browser, pass one scenario against the real programs.

They subscribe to one server at the same time, which is restarted in the middle while the
simulated exchange runs on, a minute each second.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from candlecast_client import Client, models

from ingest.core import fixed
from ingest.core.trade import Trade
from tests.factories import naive_candles
from tests.running import free_port, simulator
from tests.sdk.tools import PYTHON_CLIENT, ROOT, TYPESCRIPT_CLIENT, built, chromium

SCENARIO = Path(__file__).with_name("scenario.json")
SUBSCRIPTIONS = json.loads(SCENARIO.read_text())["subscriptions"]
SYMBOLS = ",".join(sorted({part["symbol"] for part in SUBSCRIPTIONS}))
UNSETTLED = 2
"""Candles at the end of a sequence that late trades may have changed after it was closed."""
SECONDS = 240.0
LINE_BYTES = 16 * 2**20

Report = dict[str, Any]


@asynccontextmanager
async def served(exchange: str, folder: Path, page_port: int, port: int = 0) -> AsyncIterator[str]:
    """Run the server in a process of its own, ended as by an operator; yields its base URL.

    It allows the origin of the page of the client in the browser.
    """
    environment = {
        **os.environ,
        "CANDLECAST_REST_URL": exchange,
        "CANDLECAST_SYMBOLS": SYMBOLS,
        "CANDLECAST_STORE": f"chdb:///{folder}/db",
        "CANDLECAST_HISTORY": "1h",
        "CANDLECAST_PORT": str(port),
        "CANDLECAST_ALLOWED_ORIGINS": f"http://127.0.0.1:{page_port}",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server.cli", "serve"), cwd=ROOT, env=environment, stdout=PIPE
    )
    assert process.stdout is not None
    try:
        line = (await process.stdout.readline()).decode()
        assert line.startswith("Candlecast serves "), "the server did not start"
        yield line.split()[-1]
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


class Player:
    """A client in a process of its own that plays the scenario."""

    def __init__(self, name: str, process: Process) -> None:
        self.name = name
        self._process = process

    @classmethod
    async def start(cls, name: str, url: str, *command: str | Path) -> Player:
        """Start it against a server."""
        program, *arguments = [str(part) for part in command]
        process = await asyncio.create_subprocess_exec(
            *(program, arguments[0], url, str(SCENARIO), *arguments[1:]),
            stdout=PIPE,
            limit=LINE_BYTES,
            env={**os.environ, "PYTHONPATH": str(PYTHON_CLIENT)},
        )
        return cls(name, process)

    async def report(self, event: str) -> Report:
        """Its next report, which must be of this event."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line, f"{self.name} ended before it reported {event!r}"
        report: Report = json.loads(line)
        assert report["event"] == event, f"{self.name}: {report}"
        return report

    async def end(self) -> None:
        """Wait for its end; terminate it after a timeout."""
        if self._process.returncode is None:
            try:
                async with asyncio.timeout(10):
                    await self._process.wait()
            except TimeoutError:
                self._process.terminate()
        await self._process.wait()


async def players(url: str, page_port: int) -> tuple[list[Player], list[str]]:
    """Every client that can run here, and the reasons why others cannot."""
    started = [
        await Player.start("Python", url, sys.executable, Path(__file__).parent / "player.py")
    ]
    absent = []
    program, browser = built(), chromium()
    tests = TYPESCRIPT_CLIENT / "build" / "test"
    if program is None:
        return started, ["Node or its packages are absent: the TypeScript client was not run"]
    started.append(await Player.start("TypeScript in Node", url, program, tests / "node.js"))
    if browser is None:
        absent.append("Chromium is absent: the TypeScript client was not run in a browser")
    else:
        page = tests / "browser.js"
        started.append(
            await Player.start(
                "TypeScript in Chromium", url, program, page, browser, str(page_port)
            )
        )
    return started, absent


async def test_every_client_passes_the_scenario(tmp_path: Path) -> None:
    options = ("--symbols", SYMBOLS, "--rate", "2", "--speed", "60", "--seed", "11")
    await asyncio.to_thread(built)
    page_port = free_port()
    async with asyncio.timeout(SECONDS), simulator(*options) as exchange:
        started: list[Player] = []
        try:
            async with served(exchange, tmp_path, page_port) as url:
                started, absent = await players(url, page_port)
                for player in started:
                    await player.report("restart")
            port = int(url.rsplit(":", 1)[1])
            async with served(exchange, tmp_path, page_port, port) as again:
                assert again == url
                outcomes = {player.name: await player.report("done") for player in started}
                await try_examples(url)
                async with Client(url) as client:
                    trades = {s: await all_trades(client, s) for s in SYMBOLS.split(",")}
        finally:
            for player in started:
                await player.end()

    for name, outcome in outcomes.items():
        assert "complete" in outcome["statuses"], name
        for part, updates in zip(SUBSCRIPTIONS, outcome["updates"], strict=True):
            check(f"{name}, {part}", part, updates, trades[part["symbol"]])
    if absent:
        pytest.skip("; ".join(absent))


async def try_examples(url: str) -> None:
    """The packages' examples print closed candles."""
    commands = [[sys.executable, str(PYTHON_CLIENT / "example.py")]]
    if (program := built()) is not None:
        commands.append([program, str(TYPESCRIPT_CLIENT / "example.mjs")])
    for command in commands:
        process = await asyncio.create_subprocess_exec(
            *(*command, url, "BTCUSDT", "1"),
            stdout=PIPE,
            env={**os.environ, "PYTHONPATH": str(PYTHON_CLIENT)},
        )
        assert process.stdout is not None
        lines = [(await process.stdout.readline()).decode() for _ in range(2)]
        process.kill()
        await process.communicate()
        assert lines[0].startswith("followed: BTCUSDT, ETHUSDT"), command
        assert lines[1].endswith("closed\n"), command


def check(name: str, part: Report, updates: list[Report], trades: list[Trade]) -> None:
    """Check that a sequence is complete, without repeats, and exact."""
    width = part["timeframe"] * 60_000
    closed = [p["candle"]["candle_time"] for p in updates if p["state"] == "closed"]
    assert closed == list(range(closed[0], closed[0] + len(closed) * width, width)), name
    assert len(closed) > part["history"], name
    final = {p["candle"]["candle_time"]: p["candle"] for p in updates if p["state"] != "running"}
    expected = {
        row["candle_time"]: row for row in naive_candles(trades, part["timeframe"], closed[-1])
    }
    for time in closed[:-UNSETTLED]:
        candle = {field: Decimal(value) for field, value in final[time].items()}
        wanted = {field: Decimal(expected[time][field]) for field in candle}
        assert candle == wanted, name


async def all_trades(client: Client, symbol: str) -> list[Trade]:
    """Fetch every trade that the server has, over REST."""
    trades: list[models.Trade] = []
    first = 0
    while True:
        page = await client.rest.get_trades(symbol, from_id=first, limit=10_000)
        trades += page.data
        if len(page.data) < 10_000:
            return [_trade(item) for item in trades]
        first = page.data[-1].aggregate_id + 1


def _trade(item: models.Trade) -> Trade:
    return Trade(
        item.aggregate_id,
        fixed.parse(f"{item.price:f}"),
        fixed.parse(f"{item.quantity:f}"),
        item.first_trade_id,
        item.last_trade_id,
        item.timestamp,
        item.is_buyer_maker,
    )
