"""For as long as it goes on: all lies of the exchange in turn, storms of clients, one that watches.

SOAK_MINUTES=30 CHAOS_SEED=1 python -m pytest tests/chaos/test_soak.py -s
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from ingest.storage import Store
from tests.chaos.exchange import Exchange
from tests.chaos.lies import Lies
from tests.chaos.process import ServerProcess
from tests.chaos.verdict import wrong_closings, wrong_store, wrong_words
from tests.e2e.client import Client, until_whole

MINUTES = float(os.environ.get("SOAK_MINUTES", "0.5"))
SEED = int(os.environ.get("CHAOS_SEED", "8"))
SYMBOLS = ("AAAUSDT", "BBBUSDT", "CCCUSDT", "DDDUSDT", "EEEUSDT")
TIMEFRAMES = (1, 7, 173)
MARKET = (
    *("--symbols", ",".join(SYMBOLS), "--rate", "10", "--seed", str(SEED)),
    *("--weight-limit", "6000"),
)
BEFORE = timedelta(minutes=5)
"""So long the market has been there at the start, and up to an hour longer."""
SETTINGS = {
    "symbols": ",".join(SYMBOLS),
    "history": "1d",
    "confirm_seconds": "2",
    "requests_per_minute": "1200",
    "request_burst": "1200",
    "messages_per_second": "20",
    "message_burst": "40",
}
LONGEST_LIE_SECONDS = 9.0
LONGEST_CALM_SECONDS = 4.0
WHOLE_EVERY = 8
"""After so many lies the exchange is honest until everything is complete."""
WHOLE_SECONDS = 120.0
MAX_UPDATE_GAP_SECONDS = 1.5

Storm = Callable[[str, aiohttp.ClientSession, random.Random], Awaitable[None]]


class Watcher:
    """A well-behaved client, and when it got its updates."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._last: dict[str, float] = {}
        self.gaps: dict[str, float] = defaultdict(float)
        """The longest time between two updates, by symbol."""
        self.qualities: Counter[str] = Counter()
        """Updates by the data quality that they gave."""

    async def watch(self) -> None:
        """Take in what comes until cancelled."""
        while True:
            message = await self.client.receive(60)
            if message["type"] != "ohlcv_update":
                continue
            symbol, now = message["symbol"], time.monotonic()
            self.gaps[symbol] = max(self.gaps[symbol], now - self._last.get(symbol, now))
            self._last[symbol] = now
            self.qualities[message["data_status"]["data_quality"]] += 1

    @property
    def is_whole(self) -> bool:
        """Whether all symbols are called complete."""
        return all(self.client.qualities.get(symbol) == "complete" for symbol in SYMBOLS)


async def subscriptions(url: str, session: aiohttp.ClientSession, chance: random.Random) -> None:
    """Subscribe to a thousand new timeframes, and leave."""
    async with session.ws_connect(f"{url}/ws/stream") as socket:
        client = Client(socket)
        for symbol in chance.choices(SYMBOLS, k=10):
            await client.subscribe(symbol, chance.sample(range(2, 500_000), 100), 10)
        await asyncio.sleep(chance.uniform(0, 0.5))


async def frames(url: str, session: aiohttp.ClientSession, chance: random.Random) -> None:
    """Send frames that are too many, too long or nonsense."""
    async with session.ws_connect(f"{url}/ws/stream") as socket:
        for _ in range(chance.randint(1, 300)):
            await socket.send_str(chance.choice(('{"action":"ping"}', "{", "x" * 70_000, "[]")))


async def requests(url: str, session: aiohttp.ClientSession, chance: random.Random) -> None:
    """Ask for trades, symbols and synchronizations."""
    symbol = chance.choice(SYMBOLS)
    method, path = chance.choice(
        (
            ("GET", f"trades/{symbol}?limit=1000"),
            ("GET", f"trades/{symbol}/latest?limit=1000"),
            ("GET", f"tickers/{symbol}/mvs"),
            ("GET", "monitoring/info"),
            ("POST", "admin/system/sync"),
        )
    )
    async with session.request(method, f"{url}/api/v1/{path}") as response:
        await response.read()


async def storm(
    url: str, address: str, work: Storm, chance: random.Random, counts: Counter[str]
) -> None:
    """Do such work from an address of its own until cancelled, whatever the server answers."""
    connector = aiohttp.TCPConnector(local_addr=(address, 0))
    async with aiohttp.ClientSession(connector=connector) as session:
        while True:
            try:
                await work(url, session, chance)
                counts[work.__name__] += 1
            except (aiohttp.ClientError, OSError):
                counts[f"{work.__name__}, sent away"] += 1
                await asyncio.sleep(0.1)
            await asyncio.sleep(chance.uniform(0, 0.1))


async def lie_in_turn(exchange: Exchange, chance: random.Random, watcher: Watcher) -> Counter[str]:
    """Run all lies in random order, repeatedly; returns how often each ran."""
    lies = Lies(exchange, SYMBOLS, chance)
    counts: Counter[str] = Counter()
    ends, turns = time.monotonic() + MINUTES * 60, 0
    while time.monotonic() < ends:
        for name in chance.sample(list(lies.all), len(lies.all)):
            if time.monotonic() >= ends:
                break
            await lies.run(name, chance.uniform(0.5, LONGEST_LIE_SECONDS))
            counts[name] += 1
            turns += 1
            await asyncio.sleep(chance.uniform(0, LONGEST_CALM_SECONDS))
            if turns % WHOLE_EVERY == 0:
                await whole(watcher, name)
    return counts


async def whole(watcher: Watcher, after: str) -> None:
    """Wait until everything is complete."""
    began = time.monotonic()
    while not watcher.is_whole:
        assert time.monotonic() - began < WHOLE_SECONDS, (after, watcher.client.qualities)
        await asyncio.sleep(0.1)
    print(f"  whole {time.monotonic() - began:.1f} s after {after}", flush=True)


@pytest.mark.timeout(MINUTES * 60 + 600)
async def test_lies_and_storms_change_no_candle_and_lose_no_trade(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    values = {**SETTINGS, "store": f"chdb:///{tmp_path}/db"}
    genesis = (datetime.now(UTC) - BEFORE).strftime("%Y-%m-%dT%H:00Z")
    async with (
        Exchange.started(*MARKET, "--genesis", genesis) as exchange,
        ServerProcess.running(exchange.url, tmp_path / "log", **values) as server,
    ):
        url = await server.url()
        async with Client.connect(url) as client:
            for symbol in SYMBOLS:
                await client.subscribe(symbol, TIMEFRAMES)
            await until_whole(client, SYMBOLS)
            watcher, storms = Watcher(client), Counter[str]()
            tasks = [
                asyncio.create_task(watcher.watch()),
                *(
                    asyncio.create_task(storm(url, f"127.0.0.{10 + number}", work, chance, storms))
                    for number, work in enumerate((subscriptions, subscriptions, frames, requests))
                ),
            ]
            lying = asyncio.create_task(lie_in_turn(exchange, chance, watcher))
            await asyncio.wait({lying, *tasks}, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                assert not task.done(), task.result()
            counts = lying.result()
            for task in tasks[1:]:
                task.cancel()
            await whole(watcher, "all")
            await exchange.order("clock", hold=True)
            trades = {symbol: await exchange.trades(symbol) for symbol in SYMBOLS}
            await asyncio.sleep(3)
            await whole(watcher, "the last trade")
            tasks[0].cancel()
            await asyncio.wait(tasks)
            async with Client.connect(url) as late:
                for symbol in SYMBOLS:
                    await late.subscribe(symbol, TIMEFRAMES, 1000)
                for _ in range(len(SYMBOLS) * len(TIMEFRAMES)):
                    await late.wait_for("initial_history")
    print(f"lies: {dict(counts)}")
    print(f"storms: {dict(storms)}")
    print(f"updates by quality: {dict(watcher.qualities)}")
    print(f"longest time between two updates: {max(watcher.gaps.values()):.2f} s")
    wrong = []
    with Store(values["store"]) as store:
        for symbol in SYMBOLS:
            made = trades[symbol]
            assert made[-1].timestamp - made[0].timestamp > MINUTES * 60_000
            wrong += wrong_store(store, symbol, made) + wrong_words(late, symbol, made)
            wrong += wrong_words(client, symbol, made) + wrong_closings(client, symbol, made)
    assert not wrong, "\n".join(wrong[:30])
    assert max(watcher.gaps.values()) <= MAX_UPDATE_GAP_SECONDS
