"""A server that has no trade of a symbol yet: every endpoint answers as documented."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from generated.native.facts import DataQuality
from ingest.pipeline.feed import Feed
from server.app import Server
from tests.e2e.client import Client
from tests.running import server, settings, simulator, until

UNREACHABLE = "http://127.0.0.1:9"
TABLES = ("application/vnd.apache.arrow.stream", "application/vnd.apache.parquet", "text/csv")
NULL_WITHOUT_TRADES = {
    *("first_aggregate_id", "first_trade_time", "last_aggregate_id"),
    *("last_trade_time", "last_price"),
}

Running = tuple[Server, str]


def is_complete(feed: Feed) -> bool:
    return feed.status.quality is DataQuality.COMPLETE


@pytest.fixture
async def exchange_away(tmp_path: Path) -> AsyncIterator[Running]:
    """A server that has never reached its exchange."""
    chosen = settings(UNREACHABLE, tmp_path, symbols="BTCUSDT", kraken="yes")
    async with server(chosen) as running:
        yield running


@pytest.fixture
async def quiet_market(tmp_path: Path) -> AsyncIterator[Running]:
    """A server that follows a market in which nothing has been traded."""
    options = ("--symbols", "BTCUSDT", "--genesis", "2100-01-01T00:00Z")
    async with simulator(*options) as exchange:
        chosen = settings(exchange, tmp_path, symbols="BTCUSDT", kraken="yes")
        async with server(chosen) as running:
            await until(lambda: is_complete(running[0].provider.feeds["BTCUSDT"]))
            yield running


@pytest.fixture(params=["exchange_away", "quiet_market"])
def running(request: pytest.FixtureRequest) -> Running:
    found: Running = request.getfixturevalue(request.param)
    return found


async def get(url: str, path: str, accept: str = "application/json") -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(url + path, headers={"Accept": accept}) as reply,
    ):
        is_json = reply.content_type == "application/json"
        return reply.status, await (reply.json() if is_json else reply.read())


async def test_a_ticker_without_trades_is_null_where_documented(running: Running) -> None:
    status, body = await get(running[1], "/api/v1/tickers/BTCUSDT")
    assert status == 200
    ticker = body["data"]
    assert {name for name, value in ticker.items() if value is None} >= NULL_WITHOUT_TRADES
    assert (ticker["trades_stored"], ticker["open_gaps"]) == (0, [])


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/tickers/",
        "/api/v1/tickers/BTCUSDT/mvs",
        "/api/v1/data/trades/BTCUSDT/latest",
        "/api/v1/data/trades/BTCUSDT",
        "/api/v1/data/trades/BTCUSDT?from_id=0",
        "/api/v1/data/trades/BTCUSDT?start_time=0&end_time=0",
        "/api/v1/data/candles/BTCUSDT?timeframe=7",
        "/api/v1/data/candles/BTCUSDT?timeframe=7&start_time=0",
        "/api/v1/monitoring/health",
        "/api/v1/monitoring/system/info",
        "/api/v1/admin/websocket/status",
        "/api/v1/admin/websocket/connections",
        "/api/v1/admin/coordinators/weight",
        "/api/v1/admin/log",
        "/kraken/0/public/AssetPairs",
        "/kraken/0/public/Time",
        "/kraken/0/public/SystemStatus",
    ],
)
async def test_every_endpoint_answers(running: Running, path: str) -> None:
    status, body = await get(running[1], path)
    assert status == 200, body
    if "/data/" in path:
        assert body["data"] == []
        for accept in TABLES:
            status, _ = await get(running[1], path, accept)
            assert status in (200, 503)


async def test_subscribers_learn_that_there_is_nothing_yet(running: Running) -> None:
    async with Client.connect(running[1]) as client:
        await client.subscribe("BTCUSDT", (1,), candles=5)
        history = await client.wait_for("initial_history")
        assert (history["actual_candles"], history["candles"]) == (0, [])
        assert history["data_status"]["last_complete_timestamp"] is None
        if history["data_status"]["data_quality"] != "complete":  # else there is no candle to send
            assert (await client.wait_for("ohlcv_update"))["data"] is None


async def test_kraken_s_pairs_are_unavailable_until_the_exchange_names_them(
    exchange_away: Running,
) -> None:
    status, body = await get(exchange_away[1], "/kraken/0/public/AssetPairs?pair=XBTUSDT")
    assert (status, body) == (200, {"error": ["EService:Unavailable"]})


async def test_kraken_s_subscribers_get_an_answer_and_no_failure(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{running[1]}/kraken") as socket,
    ):
        for name in ("ticker", "ohlc", "trade", "spread"):
            await socket.send_json(
                {"event": "subscribe", "pair": ["XBT/USDT"], "subscription": {"name": name}}
            )
            async with asyncio.timeout(10):
                while (message := await socket.receive_json()).get("event") != "subscriptionStatus":
                    pass
            assert message["subscription"]["name"] == name
            assert message.get("errorMessage") in (None, "EService:Unavailable")
        await asyncio.sleep(1.5)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
