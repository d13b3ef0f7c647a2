"""All symbols in short over the stream, each figure against the trades; loading is seen."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from generated.native.facts import DataQuality
from ingest.core.timeframe import MINUTE_MS
from ingest.pipeline import days, downloads
from tests import running
from tests.e2e.client import Client, Message

WINDOW_MINUTES = 5
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")


async def test_figures_are_those_of_the_trades_while_the_window_moves_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(days, "DAY", WINDOW_MINUTES)
    options = ("--symbols", ",".join(SYMBOLS), "--rate", "0.5", "--speed", "60")
    async with running.simulator(*options) as exchange:
        chosen = running.settings(exchange, tmp_path, symbols=",".join(SYMBOLS), history="3m")
        async with running.server(chosen) as (server, url), Client.connect(url) as client:
            feeds = server.provider.feeds.values()
            await running.until(lambda: all(f.status.quality == "complete" for f in feeds))
            await client.send({"action": "subscribe_tickers", "request_id": "list"})
            result, first = await client.receive(), await client.receive()
            assert result == {
                "type": "tickers_subscription_result", "request_id": "list", "subscribed": True,
            }  # fmt: skip
            assert [each["symbol"] for each in first["tickers"]] == sorted(SYMBOLS)
            seen = [*first["tickers"], *await rows(client, 12)]
            assert {each["symbol"] for each in seen} == {*SYMBOLS}
            for symbol in SYMBOLS:
                trades = await all_trades(url, symbol)
                of_symbol = [each for each in seen if each["symbol"] == symbol]
                known = [each for each in of_symbol if each["since"] is not None]
                assert len({each["since"] for each in known}) > WINDOW_MINUTES
                assert len(known) > len(of_symbol) / 2
                for each in known:
                    check(each, trades)
            await client.send({"action": "unsubscribe_tickers"})
            await client.wait_for("tickers_subscription_result")
            with pytest.raises(TimeoutError):
                await client.wait_for("ticker_update", 2.5)


async def rows(client: Client, seconds: float) -> list[dict[str, Any]]:
    """The rows of the updates that come within a time."""
    found = []
    try:
        async with asyncio.timeout(seconds):
            while True:
                message: Message = await client.receive()
                if message["type"] == "ticker_update":
                    found.append(message["data"])
    except TimeoutError:
        return found


async def get(url: str) -> Any:
    async with aiohttp.ClientSession() as session, session.get(url) as reply:
        return json.loads(await reply.text(), parse_float=Decimal)


async def all_trades(url: str, symbol: str) -> list[dict[str, Any]]:
    body = await get(f"{url}/api/v1/data/trades/{symbol}?from_id=0&limit=10000")
    assert body["next_cursor"] is None
    trades: list[dict[str, Any]] = body["data"]
    return trades


def check(row: dict[str, Any], trades: Sequence[dict[str, Any]]) -> None:
    """The figures are those of all trades from `since` to the newest one of that moment."""
    assert row["since"] % MINUTE_MS == 0
    window = [t for t in trades if row["since"] <= t["timestamp"] <= row["last_trade_time"]]
    while window and sum(t["quantity"] for t in window) > row["volume"]:
        window.pop()  # those of the same millisecond that came later
    prices = [t["price"] for t in window]
    assert row["volume"] == sum(t["quantity"] for t in window)
    assert row["quote_volume"] == sum(t["quantity"] * t["price"] for t in window)
    assert (row["open"], row["price"]) == (prices[0], prices[-1])
    assert (row["high"], row["low"]) == (max(prices), min(prices))


async def test_loading_is_seen_over_stream_rest_and_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(downloads, "LOG_EVERY", 1)
    caplog.set_level(logging.INFO)
    slow = {"path": "/api/v3/aggTrades", "status": 200, "delay": 0.3, "count": 10_000}
    async with running.simulator("--symbols", "BTCUSDT", "--rate", "60") as exchange:
        async with aiohttp.ClientSession() as session:
            await session.post(f"{exchange}/control/answer", json=slow)
        chosen = running.settings(exchange, tmp_path, symbols="BTCUSDT", history="20m")
        async with running.server(chosen) as (server, url), Client.connect(url) as client:
            feed = server.provider.feeds["BTCUSDT"]
            await running.until(lambda: feed.status.quality is DataQuality.LOADING)
            await client.send({"action": "subscribe_tickers"})
            shares = []
            while (row := await update(client))["data_quality"] == "loading":
                if (loading := row["loading"]) is None:
                    continue
                assert 0 <= loading["loaded"] <= loading["total"]
                assert (loading["seconds_left"] is None) == (not loading["trades_per_second"])
                shares.append(Decimal(loading["loaded"]) / loading["total"])
                shown = (await get(f"{url}/api/v1/tickers/BTCUSDT"))["data"]["loading"]
                assert shown is None or loading["loaded"] <= shown["loaded"] <= shown["total"]
            assert shares == sorted(shares)
            assert len({*shares}) > 3
            assert row["loading"] is None
            await running.until(lambda: "BTCUSDT: its history of" in caplog.text)
    progress = [r.message for r in caplog.records if "of its history are here" in r.message]
    assert progress


async def update(client: Client) -> dict[str, Any]:
    """The row of the next update, or the one that comes first."""
    while True:
        message = await client.receive()
        if message["type"] == "ticker_update":
            row: dict[str, Any] = message["data"]
            return row
        if message["type"] == "initial_tickers":
            return dict(message["tickers"][0])
