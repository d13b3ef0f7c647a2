"""Every error code of the stream, provoked; the connection lives on wherever it can."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from server.app import Server
from tests.e2e.client import Client
from tests.running import server, settings, simulator

LIMITS = {"kraken": "yes", "heartbeat_seconds": "1", "idle_seconds": "2", "message_burst": "150"}


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[tuple[Server, str]]:
    """A server that follows one symbol, and its URL."""
    async with (
        simulator("--symbols", "BTCUSDT") as exchange,
        server(settings(exchange, tmp_path, symbols="BTCUSDT", history="5m", **LIMITS)) as both,
    ):
        yield both


def subscribe(**timeframe: object) -> dict[str, object]:
    subscription = {"symbol": "BTCUSDT", "timeframes": [timeframe]}
    return {"action": "subscribe", "request_id": "r-1", "subscriptions": [subscription]}


WRONG: list[tuple[str | bytes | dict[str, Any], str]] = [
    ("{bad", "INVALID_JSON"),
    ("", "INVALID_JSON"),
    ('{"action":"ping","timestamp":NaN}', "INVALID_JSON"),
    ("[" * 5000, "INVALID_JSON"),
    (b"\x00\xff", "INVALID_JSON"),
    ("[]", "UNKNOWN_ACTION"),
    ("null", "UNKNOWN_ACTION"),
    ("5", "UNKNOWN_ACTION"),
    ({}, "UNKNOWN_ACTION"),
    ({"action": "fly"}, "UNKNOWN_ACTION"),
    ({"action": ["subscribe"]}, "UNKNOWN_ACTION"),
    ({"type": "pong"}, "UNKNOWN_ACTION"),
    ({"action": "subscribe"}, "INVALID_SUBSCRIPTION"),
    ({"action": "subscribe", "subscriptions": []}, "INVALID_SUBSCRIPTION"),
    ({"action": "unsubscribe", "unsubscriptions": {}}, "INVALID_SUBSCRIPTION"),
    ({"action": "ping", "timestamp": "now"}, "INVALID_SUBSCRIPTION"),
    (subscribe(timeframe=0), "INVALID_SUBSCRIPTION"),
    (subscribe(timeframe=-15), "INVALID_SUBSCRIPTION"),
    (subscribe(timeframe=1.5), "INVALID_SUBSCRIPTION"),
    (subscribe(timeframe="15"), "INVALID_SUBSCRIPTION"),
    (subscribe(timeframe=True), "INVALID_SUBSCRIPTION"),
    (subscribe(timeframe=15, initial_candles=1001), "INVALID_SUBSCRIPTION"),
    (subscribe(timeframe=15, initial_candles=-1), "INVALID_SUBSCRIPTION"),
    (subscribe(timeframe=525_600.5), "INVALID_SUBSCRIPTION"),
    (subscribe(timeframe=600_000.5), "INVALID_SUBSCRIPTION"),
    (subscribe(timeframe=525_601, initial_candles=-1), "INVALID_SUBSCRIPTION"),
    (subscribe(timeframe=2**53), "INVALID_TIMEFRAME"),
    (subscribe(timeframe=2**70), "INVALID_TIMEFRAME"),
    (
        {"action": "unsubscribe", "unsubscriptions": [{"symbol": "BTC", "timeframes": [525_601]}]},
        "INVALID_TIMEFRAME",
    ),
    (subscribe(timeframe=525_601), "INVALID_TIMEFRAME"),
]


async def test_each_wrong_message_gets_its_code_and_the_connection_lives_on(
    running: tuple[Server, str],
) -> None:
    async with Client.connect(running[1]) as client:
        for message, code in WRONG:
            if isinstance(message, bytes):
                await client.send_bytes(message)
            else:
                await client.send_text(message if isinstance(message, str) else json.dumps(message))
            error = await client.wait_for("error")
            assert error["error_code"] == code, message
            if isinstance(message, dict) and "request_id" in message:
                assert error["request_id"] == "r-1"
            await client.send({"action": "ping", "timestamp": 7})
            assert (await client.wait_for("pong"))["client_timestamp"] == 7


async def test_a_timeframe_that_is_not_positive_gets_the_contract_s_text(
    running: tuple[Server, str],
) -> None:
    async with Client.connect(running[1]) as client:
        await client.send(subscribe(timeframe=0))
        error = await client.wait_for("error")
    assert error["message"] == "Invalid timeframe: timeframe must be positive"
    assert error["details"]["faults"][0]["path"] == "/subscriptions/0/timeframes/0/timeframe"


async def test_a_timeframe_above_the_maximum_is_named(running: tuple[Server, str]) -> None:
    async with Client.connect(running[1]) as client:
        await client.send(subscribe(timeframe=600_000))
        error = await client.wait_for("error")
    assert error["message"] == (
        "Timeframe 600000 of BTCUSDT is above the maximum of 525600 minutes"
    )
    assert error["details"] == {"symbol": "BTCUSDT", "timeframe": 600_000, "maximum": 525_600}


async def test_a_ping_message_is_a_last_ping(running: tuple[Server, str]) -> None:
    async with Client.connect(running[1]) as client, aiohttp.ClientSession() as session:
        await asyncio.sleep(0.2)
        before = time.time()
        await client.send({"action": "ping"})
        await client.wait_for("pong")
        path = f"{running[1]}/api/v1/admin/websocket/connections"
        async with session.get(path) as reply:
            (connection,) = (await reply.json())["data"]["connections"]
    assert connection["last_ping"] >= before > connection["connected_at"]


@pytest.mark.parametrize("path", ["/ws/stream", "/kraken", "/kraken/", "/kraken-auth"])
async def test_a_request_without_an_upgrade_is_refused(
    running: tuple[Server, str], path: str
) -> None:
    async with aiohttp.ClientSession() as session, session.get(running[1] + path) as reply:
        body = await reply.json()
        assert (reply.status, reply.headers["Upgrade"]) == (426, "websocket")
    assert body["error_code"] == "INVALID_REQUEST"
    assert body["error"] == "This address speaks WebSocket: connect with ws:// or wss://"


async def errors_count(url: str) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{url}/api/v1/admin/websocket/status") as reply,
    ):
        return int((await reply.json())["data"]["errors_count"])


async def test_an_idle_connection_is_timed_out_and_a_subscribed_one_is_not(
    running: tuple[Server, str],
) -> None:
    async with Client.connect(running[1]) as idle, Client.connect(running[1]) as busy:
        await busy.subscribe("BTCUSDT", (1,))
        error = await idle.wait_for("error")
        assert error["error_code"] == "TIMEOUT"
        assert await idle.closed() == 3008
        assert await errors_count(running[1]) == 1
        assert (await busy.wait_for("ohlcv_update"))["symbol"] == "BTCUSDT"


async def error_and_close_code(client: Client) -> tuple[str, int]:
    """The error that comes before the end, and the code of the end."""
    error = await client.wait_for("error")
    return error["error_code"], await client.closed()


async def test_the_end_of_the_server_is_announced_and_closes_with_1001(tmp_path: Path) -> None:
    async with (
        simulator("--symbols", "BTCUSDT") as exchange,
        aiohttp.ClientSession() as session,
    ):
        async with server(settings(exchange, tmp_path, symbols="BTCUSDT", history="1m")) as (
            _,
            url,
        ):
            client = Client(await session.ws_connect(f"{url}/ws/stream"))
            await client.send({"action": "ping"})
            await client.wait_for("pong")
            end = asyncio.create_task(error_and_close_code(client))
        assert await end == ("CONNECTION_ERROR", 1001)


async def test_too_many_messages_end_the_connection(running: tuple[Server, str]) -> None:
    async with Client.connect(running[1]) as client:
        for _ in range(200):
            await client.send({"action": "ping"})
        error = await client.wait_for("error")
        assert error["error_code"] == "CONNECTION_ERROR"
        assert await client.closed() == 1008


async def test_too_long_a_message_ends_the_connection(running: tuple[Server, str]) -> None:
    async with Client.connect(running[1]) as client:
        await client.send_text(" " * 70_000)
        error = await client.wait_for("error")
        assert error["error_code"] == "CONNECTION_ERROR"
        assert "65536 bytes" in error["message"]
        assert await client.closed() == 1009
    assert await errors_count(running[1]) == 1
    async with Client.connect(running[1]) as client:
        await client.send({"action": "ping"})
        assert await client.wait_for("pong")
