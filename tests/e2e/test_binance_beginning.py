"""Binance's API while a symbol is loading, and when its history is shorter than a candle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp

from generated.native.facts import DataQuality
from tests import running

SYMBOL, NOW = "BTCUSDT", "2024-03-14T15:09:26Z"


async def klines(session: aiohttp.ClientSession, url: str, interval: str) -> tuple[int, Any]:
    query = {"symbol": SYMBOL, "interval": interval}
    async with session.get(f"{url}/api/v3/klines", params=query) as reply:
        return reply.status, await reply.json()


async def test_a_history_without_a_whole_candle_is_no_empty_page(tmp_path: Path) -> None:
    options = ("--symbols", SYMBOL, "--rate", "0.1", "--clock-start", NOW)
    async with running.simulator(*options, "--wait-for-subscriber", "2") as exchange:
        chosen = running.settings(exchange, tmp_path, symbols=SYMBOL, history="2h")
        async with running.server(chosen) as (server, ours), aiohttp.ClientSession() as session:
            feed = server.provider.feeds[SYMBOL]
            status, answer = await klines(session, ours, "1m")
            assert status == 200 or (status, answer["code"]) == (503, -1000)
            await running.until(lambda: feed.status.quality is DataQuality.COMPLETE)
            for interval in ("1d", "1w", "1M"):
                status, answer = await klines(session, ours, interval)
                assert (status, answer["code"]) == (503, -1000)
                assert "CANDLECAST_HISTORY" in answer["msg"]
            status, rows = await klines(session, ours, "30m")
            assert (status, len(rows)) == (200, 4)
