"""A chart that is open while a symbol loads, and while its bars change."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import aiohttp
import pytest

from generated.native.facts import DataQuality
from tests import running
from tests.e2e.udf_chart import Chart, FeedError

SYMBOL, NOW = "BTCUSDT", "2024-03-14T15:09:26Z"
PULSES = 100
FUTURE = 9_999_999_999


async def test_a_chart_is_never_told_that_a_loading_symbol_has_no_bars(tmp_path: Path) -> None:
    options = ("--symbols", SYMBOL, "--rate", "0.1", "--clock-start", NOW)
    async with running.simulator(*options, "--wait-for-subscriber", "9") as exchange:
        chosen = running.settings(exchange, tmp_path, symbols=SYMBOL, history="2h")
        async with running.server(chosen) as (server, url), aiohttp.ClientSession() as session:
            own = server.provider.feeds[SYMBOL]
            query = {"symbol": SYMBOL, "resolution": "1", "to": str(FUTURE), "countback": "5"}
            async with session.get(f"{url}/udf/history", params=query) as reply:
                answer = await reply.json()
            if reply.status != 200:
                assert (reply.status, answer["s"]) == (503, "error")
                assert "ask again" in answer["errmsg"]
                assert int(reply.headers["Retry-After"]) > 0
            else:
                assert answer["s"] == "ok"
            await running.until(lambda: own.status.quality is DataQuality.COMPLETE)
            for resolution in ("1D", "1W", "1M"):
                chart = Chart(session, f"{url}/udf", SYMBOL, resolution)
                with pytest.raises(FeedError, match="CANDLECAST_HISTORY"):
                    await chart.history(**{"from": 0}, to=FUTURE, countback=5)
            chart = Chart(session, f"{url}/udf", SYMBOL, "30")
            bars, _ = await chart.history(**{"from": 0}, to=FUTURE, countback=5)
            assert len(bars) == 4


async def test_live_bars_follow_the_history(tmp_path: Path) -> None:
    """No bar is older than the one before it, none is left out, and each ends as it is kept."""
    # A minute takes three seconds, and the chart asks more often than that, as real ones do.
    options = ("--symbols", SYMBOL, "--rate", "0.5", "--clock-start", NOW, "--speed", "20")
    async with running.simulator(*options, "--quiet", "0") as exchange:
        chosen = running.settings(exchange, tmp_path, symbols=SYMBOL, history="2h")
        async with running.server(chosen) as (server, url), aiohttp.ClientSession() as session:
            own = server.provider.feeds[SYMBOL]
            await running.until(lambda: own.status.quality is DataQuality.COMPLETE)
            chart = Chart(session, f"{url}/udf", SYMBOL)
            await chart.load(FUTURE, 50)
            for _ in range(PULSES):
                await asyncio.sleep(0.1)
                await chart.pulse(FUTURE)
            assert all(after[0] - before[0] == 60 for before, after in pairwise(chart.bars))
            assert len(chart.bars) >= 52
            ended = chart.bars[:-2]
            kept, _ = await chart.history(**{"from": ended[0][0]}, to=ended[-1][0] + 1)
            assert kept == ended


async def test_it_can_be_left_out(tmp_path: Path) -> None:
    async with (
        running.simulator("--symbols", SYMBOL) as exchange,
        running.server(running.settings(exchange, tmp_path, symbols=SYMBOL, udf="no")) as (_, url),
        aiohttp.ClientSession(url) as session,
        session.get("/udf/config") as answer,
    ):
        assert answer.status == 404
        assert (await answer.json())["error_code"] == "NOT_FOUND"
