"""Symbols come and go: by patterns as the exchange lists them, and as somebody chooses them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from generated.native.facts import DataQuality
from ingest.pipeline import following, listing
from server.app import Server
from tests import running
from tests.e2e.client import Client

SECONDS = 45.0


@pytest.fixture
async def exchange() -> AsyncIterator[str]:
    async with running.simulator("--symbols", "BTCUSDT,ETHUSDT,ETHBTC", "--rate", "2") as url:
        yield url


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (listing, following):
        monkeypatch.setattr(module, "LIST_SECONDS", 1.0)


async def ask(url: str, method: str = "GET") -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.request(method, url) as reply:
        return reply.status, json.loads(await reply.text())


async def control(exchange: str, name: str, **values: object) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{exchange}/control/{name}", json=values) as reply,
    ):
        assert reply.status == 200, await reply.text()


async def states(url: str) -> dict[str, tuple[str, str]]:
    _, body = await ask(f"{url}/api/v1/tickers/")
    return {
        each["symbol"]: (each["exchange_status"], each["data_status"]["data_quality"])
        for each in body["data"]
    }


async def until_states(url: str, holds: Callable[[dict[str, tuple[str, str]]], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not holds(await states(url)):  # noqa: ASYNC110
            await asyncio.sleep(0.2)


def is_complete(server: Server, symbol: str) -> bool:
    feed = server.provider.feeds.get(symbol)
    return feed is not None and feed.status.quality is DataQuality.COMPLETE


async def test_what_is_listed_joins_and_what_is_delisted_keeps_its_data(
    exchange: str, tmp_path: Path
) -> None:
    chosen = running.settings(exchange, tmp_path, symbols="*USDT,!DOWN*", history="2m")
    complete = ("TRADING", "complete")
    async with running.server(chosen) as (server, url), Client.connect(url) as client:
        await until_states(url, lambda found: found == {"BTCUSDT": complete, "ETHUSDT": complete})
        await client.send({"action": "subscribe_tickers"})
        await client.wait_for("initial_tickers")
        for symbol in ("NEWUSDT", "DOWNUSDT", "NEWBTC"):
            await control(exchange, "list", symbol=symbol, rate=5)
        await until_states(url, lambda found: found.get("NEWUSDT") == complete)
        assert {*await states(url)} == {"BTCUSDT", "ETHUSDT", "NEWUSDT"}
        seen = {message["symbol"] for message in await updates(client, "NEWUSDT")}
        assert "DOWNUSDT" not in seen
        await running.until(lambda: server.provider.feeds["NEWUSDT"].trades_stored >= 5)
        status, first = await ask(f"{url}/api/v1/data/trades/NEWUSDT?from_id=0&limit=5")
        assert status == 200
        assert [trade["aggregate_id"] for trade in first["data"]] == [0, 1, 2, 3, 4]
        await client.subscribe("NEWUSDT", [1], candles=5)
        await client.wait_for("initial_history")

        await control(exchange, "delist", symbol="NEWUSDT")
        await until_states(url, lambda found: found["NEWUSDT"][0] == "BREAK")
        await control(exchange, "remove", symbol="NEWUSDT")
        await until_states(url, lambda found: found["NEWUSDT"] == ("NOT_LISTED", "complete"))
        feed = server.provider.feeds["NEWUSDT"]
        assert feed.continuity is not None
        last_id, before = feed.continuity.high_water, await page(url, "NEWUSDT")
        assert before["trades"][-1]["aggregate_id"] == last_id
        assert before["candles"][-1]["candle_time"] // 60_000 - 1 <= (
            before["trades"][-1]["timestamp"] // 60_000
        )
        _, health = await ask(f"{url}/api/v1/monitoring/health")
        assert [problem["symbol"] for problem in health["problems"]] == []
    # After a restart the exchange has never heard of it, and the store has.
    async with running.server(chosen) as (server, url):
        await until_states(url, lambda found: found.get("NEWUSDT") == ("NOT_LISTED", "complete"))
        after = await page(url, "NEWUSDT")
        assert after["trades"] == before["trades"]
        last_minute = before["trades"][-1]["timestamp"] // 60_000 * 60_000
        kept = up_to(last_minute, after["candles"])
        assert kept
        assert kept == up_to(last_minute, before["candles"])[-len(kept) :]
        await control(exchange, "list", symbol="NEWUSDT", rate=5)
        await until_states(url, lambda found: found["NEWUSDT"][0] == "TRADING")


def up_to(minute: int, candles: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The candles up to a minute, which may be over by now."""
    return [
        {**each, "closed": each["closed"] or each["candle_time"] == minute}
        for each in candles
        if each["candle_time"] <= minute
    ]


async def page(url: str, symbol: str) -> dict[str, Any]:
    _, trades = await ask(f"{url}/api/v1/data/trades/{symbol}?from_id=0&limit=10000")
    _, candles = await ask(f"{url}/api/v1/data/candles/{symbol}?timeframe=1&limit=100")
    return {"trades": trades["data"], "candles": candles["data"]}


async def updates(client: Client, symbol: str) -> list[dict[str, Any]]:
    """The updates of tickers up to one of a symbol."""
    found: list[dict[str, Any]] = []
    while not found or found[-1]["symbol"] != symbol:
        found.append(await client.wait_for("ticker_update"))
    return found


async def test_a_list_that_is_cut_short_delists_nothing(exchange: str, tmp_path: Path) -> None:
    chosen = running.settings(exchange, tmp_path, symbols="*", history="1m")
    async with running.server(chosen) as (server, url):
        await running.until(lambda: is_complete(server, "BTCUSDT"))
        answer = {"path": "/api/v3/exchangeInfo", "status": 200, "count": 5}
        await control(exchange, "answer", **answer, body='{"symbols":[]}')
        await running.until(lambda: "BTCUSDT" in server.provider.listing.absent)
        await asyncio.sleep(3)
        assert not server.provider.feeds["BTCUSDT"].state.is_ended
        assert is_complete(server, "BTCUSDT")
        await running.until(lambda: not server.provider.listing.absent)
        assert (await states(url))["BTCUSDT"] == ("TRADING", "complete")


async def test_symbols_are_followed_and_ended_by_hand_over_a_restart(
    exchange: str, tmp_path: Path
) -> None:
    chosen = running.settings(exchange, tmp_path, symbols="BTCUSDT", history="1m", max_symbols="2")
    async with running.server(chosen) as (server, url), Client.connect(url) as client:
        await running.until(lambda: is_complete(server, "BTCUSDT"))
        status, body = await ask(f"{url}/api/v1/tickers/NOSUCHUSDT", "POST")
        assert (status, body["error_code"]) == (404, "SYMBOL_NOT_LISTED")
        assert body["error"] == "The exchange has no symbol NOSUCHUSDT: check its name"
        status, body = await ask(f"{url}/api/v1/tickers/ETHUSDT", "POST")
        assert (status, body["data"]["symbol"]) == (200, "ETHUSDT")
        status, body = await ask(f"{url}/api/v1/tickers/ETHBTC", "POST")
        assert (status, body["error_code"]) == (409, "SYMBOL_LIMIT")
        assert (await ask(f"{url}/api/v1/tickers/ETHUSDT", "POST"))[0] == 200
        await running.until(lambda: is_complete(server, "ETHUSDT"))
        await client.subscribe("BTCUSDT", [1], candles=3)
        await client.wait_for("initial_history")
        assert (await client.wait_for("ohlcv_update"))["data"] is not None
        trades = await page(url, "BTCUSDT")

        assert (await ask(f"{url}/api/v1/tickers/BTCUSDT", "DELETE"))[0] == 200
        status, body = await ask(f"{url}/api/v1/tickers/BTCUSDT", "DELETE")
        assert (status, body["error_code"]) == (404, "SYMBOL_NOT_ACTIVE")
        assert {*await states(url)} == {"ETHUSDT"}
        assert (await ask(f"{url}/api/v1/data/trades/BTCUSDT/latest"))[0] == 404
        while (await client.wait_for("ohlcv_update"))["data"] is not None:
            pass
        await client.subscribe("BTCUSDT", [5])
        result = await client.wait_for("subscription_result")
        assert result["failed_subscriptions"][0]["error_code"] == "SYMBOL_NOT_ACTIVE"
    async with running.server(chosen) as (server, url), Client.connect(url) as client:
        await running.until(lambda: is_complete(server, "ETHUSDT"))
        assert {*await states(url)} == {"ETHUSDT"}
        assert (await ask(f"{url}/api/v1/tickers/BTCUSDT", "POST"))[0] == 200
        await client.subscribe("BTCUSDT", [1], candles=3)
        await running.until(lambda: is_complete(server, "BTCUSDT"))
        while (await client.wait_for("ohlcv_update"))["data"] is None:
            pass
        again = await page(url, "BTCUSDT")
        assert again["trades"][: len(trades["trades"])] == trades["trades"]
        ids = [trade["aggregate_id"] for trade in again["trades"]]
        assert ids == list(range(ids[0], ids[0] + len(ids)))


async def test_a_subscriber_goes_on_when_its_symbol_is_followed_again(
    exchange: str, tmp_path: Path
) -> None:
    chosen = running.settings(exchange, tmp_path, symbols="BTCUSDT,ETHUSDT", history="1m")
    async with running.server(chosen) as (server, url), Client.connect(url) as client:
        await running.until(lambda: is_complete(server, "BTCUSDT"))
        await client.subscribe("BTCUSDT", [1])
        assert (await client.wait_for("ohlcv_update"))["data"] is not None
        for method, has_data in (("DELETE", False), ("POST", True)):
            await ask(f"{url}/api/v1/tickers/BTCUSDT", method)
            async with asyncio.timeout(SECONDS):
                while ((await client.wait_for("ohlcv_update"))["data"] is not None) != has_data:
                    pass
        connections = (await ask(f"{url}/api/v1/admin/websocket/connections"))[1]["data"]
        assert connections["mv_references"] == {"BTCUSDT:1m": 1}
