"""A database that is down, slow or full: all is reported, and nothing is lost."""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from generated.native.facts import DataQuality
from ingest.core.trade import Trade
from ingest.pipeline import feed as feed_module
from ingest.pipeline.feed import Feed
from ingest.storage import Store
from tests.chaos.exchange import Exchange
from tests.chaos.listener import listening
from tests.chaos.process import ServerProcess
from tests.chaos.proxy import Proxy
from tests.chaos.verdict import TIMEFRAMES, wrong_now, wrong_store, wrong_words
from tests.e2e.client import Client, until_whole
from tests.running import ROOT, server, settings, until

SYMBOL = "AAAUSDT"
MARKET = (
    *("--symbols", SYMBOL, "--rate", "5", "--speed", "60"),
    *("--genesis", "2024-01-01T00:00Z", "--clock-start", "2024-01-01T00:00Z"),
)
FEW_TRADES = 2000


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Proxy]:
    """The way to a database in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.storage.front", str(tmp_path / "front")),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with Proxy.opened(int(await process.stdout.readline())) as proxy:
            yield proxy
    finally:
        process.kill()
        await process.wait()


async def test_a_database_that_goes_away_costs_nothing(
    database: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "MAX_PENDING_TRADES", FEW_TRADES)
    monkeypatch.setattr("ingest.pipeline.refill.MAX_ROWS", FEW_TRADES // 10)
    monkeypatch.setattr("ingest.pipeline.refill.FETCHED_AHEAD", FEW_TRADES // 2)
    dsn = f"http://127.0.0.1:{database.port}/market"
    async with Exchange.started(*MARKET) as exchange:
        chosen = settings(exchange.url, tmp_path, symbols=SYMBOL, history="30d", store=dsn)
        async with server(chosen) as (running, url), listening(url, [SYMBOL], TIMEFRAMES) as client:
            feed = running.provider.view.feed(SYMBOL)
            await until(
                lambda: feed.status.quality is DataQuality.COMPLETE and feed.trades_stored > 0
            )

            database.delay_s = 0.2
            await until(lambda: feed.room < FEW_TRADES)
            assert (await health(url))["status"] == "healthy"
            database.delay_s = 0.0

            await database.close()
            await until(lambda: not running.provider.view.is_storing)
            assert (await health(url))["status"] == "unhealthy"
            await refused_politely(url)
            refused = feed.counters.refused
            await until(lambda: feed.counters.refused > refused)
            assert feed.status.quality is DataQuality.PARTIAL
            assert feed.room >= 0

            await database.open()
            await until(lambda: feed.status.quality is DataQuality.COMPLETE)
            trades, wrong = await hold(exchange, url, client, feed)
            assert (await health(url))["status"] == "healthy"
            await exchange.order("clock", release=True)
            await database.close()
            await until(lambda: not running.provider.view.is_storing)
        await database.open()
        async with server(chosen) as (running, url), listening(url, [SYMBOL], TIMEFRAMES) as again:
            feed = running.provider.view.feed(SYMBOL)
            await until(lambda: feed.status.quality is DataQuality.COMPLETE)
            more, worse = await hold(exchange, url, again, feed)
    assert len(more) > len(trades)
    wrong += worse + await asyncio.to_thread(stored, dsn, more)
    wrong += wrong_words(client, SYMBOL, more) + wrong_words(again, SYMBOL, more)
    assert not wrong, "\n".join(wrong[:30])


async def test_a_full_disk_is_waited_for(tmp_path: Path) -> None:
    chosen = {"symbols": SYMBOL, "history": "30d", "store": f"chdb:///{tmp_path}/db"}
    async with Exchange.started(*MARKET) as exchange:
        running = await ServerProcess.start(exchange.url, None, **chosen)
        url = await running.url()
        async with listening(url, [SYMBOL], TIMEFRAMES) as client:
            await until(lambda: client.qualities.get(SYMBOL) == "complete")
            resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            await until_health(url, "unhealthy")
            no_limit = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            resource.prlimit(running.pid, resource.RLIMIT_FSIZE, no_limit)
            await until_health(url, "healthy")
        await exchange.order("clock", hold=True)
        trades = await exchange.trades(SYMBOL)
        async with Client.connect(url) as late:
            await late.subscribe(SYMBOL, TIMEFRAMES, 1000)
            await until_whole(late, [SYMBOL])
        assert await running.terminate() == 0
    wrong = await asyncio.to_thread(stored, chosen["store"], trades)
    wrong += wrong_words(client, SYMBOL, trades) + wrong_words(late, SYMBOL, trades)
    assert not wrong, "\n".join(wrong[:30])


async def hold(
    exchange: Exchange, url: str, client: Client, feed: Feed
) -> tuple[list[Trade], list[str]]:
    """Stop the market, let all come in, and compare."""
    await exchange.order("clock", hold=True)
    trades = await exchange.trades(SYMBOL)
    await until(
        lambda: feed.trades_stored == len(trades) and feed.status.quality is DataQuality.COMPLETE
    )
    await asyncio.sleep(2.5)  # two ticks
    return trades, await wrong_now(url, client, SYMBOL, trades, TIMEFRAMES)


def stored(dsn: str, trades: Sequence[Trade]) -> list[str]:
    """The differences of a store from the exchange."""
    with Store(dsn) as store:
        return wrong_store(store, SYMBOL, trades)


async def health(url: str) -> dict[str, Any]:
    """The server's health reply."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{url}/api/v1/monitoring/health") as response,
    ):
        answer: dict[str, Any] = await response.json()
        assert response.status == (503 if answer["status"] == "unhealthy" else 200)
        failing = [problem for problem in answer["problems"] if problem["component"] == "store"]
        assert len(failing) == (answer["status"] == "unhealthy")
        return answer


async def until_health(url: str, status: str) -> None:
    """Wait until the server says this of its health."""
    deadline = time.monotonic() + 60
    while (await health(url))["status"] != status:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.2)


async def refused_politely(url: str) -> None:
    """REST says when to come back, and a subscription that it is not possible now."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{url}/api/v1/data/trades/{SYMBOL}") as response,
    ):
        assert response.status == 503
        assert int(response.headers["Retry-After"]) > 0
        assert (await response.json())["success"] is False
    async with Client.connect(url) as client:
        await client.subscribe(SYMBOL, [5])
        result = await client.wait_for("subscription_result")
        [failed] = result["failed_subscriptions"]
        assert failed["error_code"] == "UNAVAILABLE"
