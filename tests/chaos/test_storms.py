"""Clients that ask for more than anybody needs cost the others nothing that they would notice.

CHAOS_STORMS=1000 CHAOS_SEED=1 python -m pytest tests/chaos/test_storms.py -s
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from ingest.core.status import Quality
from server.app import Server
from tests.chaos.exchange import Exchange
from tests.running import server, settings, until

ROUNDS = int(os.environ.get("CHAOS_STORMS", "1"))
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
    chosen = settings(
        exchange.url, directory, symbols=",".join(SYMBOLS), history="1h", **GENEROUS, **values
    )
    async with server(chosen) as (running, url):
        await until(lambda: complete(running))
        yield running, url


def complete(running: Server) -> bool:
    """Whether nothing is missing of any symbol."""
    feeds = running.provider.feeds.values()
    return all(feed.status.quality is Quality.COMPLETE for feed in feeds)


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
