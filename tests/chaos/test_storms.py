"""Clients that ask for more than anybody needs cost the others nothing that they would notice.

CHAOS_ROUNDS=1000 CHAOS_SEED=1 python -m pytest tests/chaos/test_storms.py -s
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from generated.native.facts import DataQuality
from server.app import Server
from tests.chaos.exchange import Exchange
from tests.e2e.client import Client
from tests.running import server, settings, until

ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "1"))
SEED = int(os.environ.get("CHAOS_SEED", "8"))
SYMBOLS = ("AAAUSDT", "BBBUSDT")
MARKET = ("--symbols", ",".join(SYMBOLS), "--rate", "20", "--seed", "8")
GENEROUS = {
    **dict.fromkeys(("requests_per_minute", "request_burst"), "1000000"),
    **dict.fromkeys(("messages_per_second", "message_burst"), "100000"),
    "websockets_per_ip": "100",
}


@asynccontextmanager
async def served(
    exchange: Exchange, directory: Path, **values: str
) -> AsyncIterator[tuple[Server, str]]:
    """A server whose symbols are complete."""
    values = {"symbols": ",".join(SYMBOLS), "history": "1h", **GENEROUS, **values}
    chosen = settings(exchange.url, directory, **values)
    async with server(chosen) as (running, url):
        await until(lambda: complete(running))
        yield running, url


def complete(running: Server) -> bool:
    """Whether nothing is missing of any symbol."""
    feeds = running.provider.feeds.values()
    return all(feed.status.quality is DataQuality.COMPLETE for feed in feeds)


async def test_synchronizations_leave_the_weight_to_continuity(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    async with (
        Exchange.started(*MARKET, "--weight-limit", "6000") as exchange,
        served(exchange, tmp_path) as (running, url),
        aiohttp.ClientSession() as session,
    ):
        for _ in range(ROUNDS):
            before = running.provider.weight.statistics()
            ends = time.monotonic() + chance.uniform(1, 4)

            async def storm() -> int:
                asked = 0
                while time.monotonic() < ends:  # noqa: B023  # it ends within the round
                    async with session.post(f"{url}/api/v1/admin/system/sync") as response:
                        assert response.status in (200, 503)
                    asked += 1
                    await asyncio.sleep(chance.uniform(0, 0.01))
                return asked

            storms = [asyncio.create_task(storm()) for _ in range(chance.randint(5, 30))]
            await asyncio.sleep(chance.uniform(0, 1))
            await exchange.order("cut", count=1)
            await until(lambda: not complete(running), 5)
            missed = time.monotonic()
            await until(lambda: complete(running), 30)
            asked = sum(await asyncio.gather(*storms))
            after = running.provider.weight.statistics()
            print(
                f"{asked} synchronizations by {len(storms)} clients: "
                f"{after.requests - before.requests} requests, whole again after "
                f"{time.monotonic() - missed:.1f} s"
            )
            assert after.requests - before.requests < 60


async def test_subscription_storms_starve_nobody(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    async with (
        Exchange.started(*MARKET) as exchange,
        served(exchange, tmp_path) as (running, url),
        aiohttp.ClientSession() as session,
    ):
        for _ in range(ROUNDS):
            ends = time.monotonic() + chance.uniform(2, 6)

            async def storm() -> int:
                asked = 0
                while time.monotonic() < ends:  # noqa: B023  # it ends within the round
                    async with session.ws_connect(f"{url}/ws/stream") as socket:
                        for symbol in chance.choices(SYMBOLS, k=10):
                            frames = chance.sample(range(2, 500_000), 100)
                            await socket.send_str(subscription(symbol, frames, candles=10))
                            asked += len(frames)
                        await asyncio.sleep(chance.uniform(0, 0.5))
                return asked

            storms = [asyncio.create_task(storm()) for _ in range(10)]
            await asyncio.sleep(chance.uniform(0.5, 2))
            waits = []
            for _ in range(3):
                asked_at = time.monotonic()
                async with Client.connect(url) as client:
                    await client.subscribe(SYMBOLS[0], [chance.randint(2, 500_000)], candles=5)
                    await client.wait_for("initial_history", 60)
                waits.append(time.monotonic() - asked_at)
            asked = sum(await asyncio.gather(*storms))
            settled = time.monotonic()
            await until(lambda: not running.provider.view.references, 10)
            await running.provider.store.run(running.provider.store.statistics)
            print(
                f"{asked} timeframes by 10 clients: others waited "
                f"{', '.join(f'{wait:.2f}' for wait in waits)} s, the store answered "
                f"{time.monotonic() - settled:.2f} s after the storm"
            )
            assert max(waits) < 5


def subscription(symbol: str, timeframes: list[int], candles: int) -> str:
    wanted = [{"timeframe": minutes, "initial_candles": candles} for minutes in timeframes]
    asked = {"symbol": symbol, "timeframes": wanted}
    return json.dumps({"action": "subscribe", "subscriptions": [asked]})


async def test_timeframes_do_not_pile_up(tmp_path: Path) -> None:
    chance, limit = random.Random(SEED), 20
    async with (
        Exchange.started(*MARKET) as exchange,
        served(exchange, tmp_path, max_materialized=str(limit)) as (running, url),
        aiohttp.ClientSession() as session,
    ):
        candles = running.provider.store.candles
        assert candles.pairs == frozenset()
        for _ in range(ROUNDS):
            wanted = [(chance.choice(SYMBOLS), chance.randint(2, 5000)) for _ in range(2 * limit)]
            for again in (False, True):  # only what is asked for again is kept
                async with session.ws_connect(f"{url}/ws/stream") as socket:
                    for symbol, minutes in wanted:
                        await socket.send_str(subscription(symbol, [minutes], candles=1))
                    await asyncio.sleep(chance.uniform(1, 2))
                    if again:
                        await until(
                            lambda: len(candles.pairs & set(wanted)) == limit,  # noqa: B023
                            30,
                        )
                    assert len(candles.pairs) <= limit
                await until(lambda: not running.provider.view.references, 10)
            listed = set()
            for symbol in SYMBOLS:
                async with session.get(f"{url}/api/v1/tickers/{symbol}/mvs") as response:
                    views = (await response.json())["data"]
                listed |= {(symbol, view["timeframe_minutes"]) for view in views}
            assert listed == candles.pairs
            assert listed <= set(wanted)
            assert len(listed) == limit
            print(f"{len(wanted)} pairs asked for twice: {len(listed)} kept")
