"""Health and readiness: which part does not work, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp

from generated.native.facts import DataQuality
from server.app import Server
from tests.chaos.exchange import Exchange
from tests.running import server, settings, until

UNREACHABLE = "http://127.0.0.1:9"


async def ask(url: str, check: str) -> tuple[int, dict[str, Any]]:
    """The status and body of a check."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{url}/api/v1/monitoring/{check}") as reply,
    ):
        assert (reply.status == 503) == ("Retry-After" in reply.headers)
        return reply.status, await reply.json()


def named(answer: dict[str, Any]) -> dict[str | None, str]:
    """The reasons, by symbol."""
    return {problem["symbol"]: problem["reason"] for problem in answer["problems"]}


async def complete(running: Server, symbol: str) -> None:
    feed = running.provider.feeds[symbol]
    await until(lambda: feed.status.quality is DataQuality.COMPLETE and feed.state.is_connected)


async def test_without_its_exchange_a_server_lives_and_is_not_ready(tmp_path: Path) -> None:
    async with server(settings(UNREACHABLE, tmp_path, symbols="BTCUSDT")) as (_, url):
        status, health = await ask(url, "health")
        assert (status, health["status"]) == (200, "degraded")
        assert health["components"]["initialized"] is False
        reasons = {None: "The exchange has not answered yet", "BTCUSDT": "It is not followed yet"}
        assert named(health) == reasons
        status, readiness = await ask(url, "ready")
        assert (status, readiness["ready"], named(readiness)) == (503, False, reasons)


async def test_a_server_is_ready_while_every_listed_symbol_is_complete(tmp_path: Path) -> None:
    async with Exchange.started("--symbols", "BTCUSDT,ETHUSDT") as exchange:
        chosen = settings(exchange.url, tmp_path, symbols="BTCUSDT,ETHUSDT,GONEUSDT", history="1m")
        async with server(chosen) as (running, url):
            await complete(running, "BTCUSDT")
            await complete(running, "ETHUSDT")
            assert await ask(url, "ready") == (200, {"ready": True, "problems": []})
            status, health = await ask(url, "health")
            assert (status, health["status"]) == (200, "degraded")
            assert health["components"]["initialized"] is True
            reason = "The exchange does not list it: take it out of CANDLECAST_SYMBOLS"
            assert named(health) == {"GONEUSDT": reason}

            ids = running.provider.feeds["BTCUSDT"].continuity
            assert ids is not None
            first = ids.high_water + 5
            await exchange.order(
                "unreadable", symbol="BTCUSDT", from_id=first, to_id=first + 2, form="price"
            )
            await until(lambda: bool(ids.unreadable))
            status, readiness = await ask(url, "ready")
            assert status == 503
            assert "readable" in named(readiness)["BTCUSDT"]
            assert named(readiness).keys() == {"BTCUSDT"}
