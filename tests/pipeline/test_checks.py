"""Checks are for those first that need them most, and stay within their share of the weight."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from ingest.binance.clock import ExchangeClock
from ingest.binance.rest import BinanceRest
from ingest.binance.weight import WeightCoordinator
from ingest.core.continuity import Continuity
from ingest.core.live import Frame
from ingest.pipeline.checks import Checks
from ingest.pipeline.feed import Feed
from tests.binance.support import served, until

NOW_MS = 1_700_000_000_000
SYMBOLS = [f"S{number}USDT" for number in range(20)]


def opened(symbol: str) -> Feed:
    """A feed that is in doubt, as after a connection was made."""
    feed = Feed(symbol)
    feed.open(Continuity(1), NOW_MS - NOW_MS % 60_000, 0)
    feed.joined(NOW_MS)
    return feed


async def test_watched_symbols_go_first_and_those_that_had_a_trade_last() -> None:
    asked: list[str] = []

    async def trades(request: web.Request) -> web.Response:
        asked.append(request.query["symbol"])
        return web.json_response([])

    async def server_time() -> int:
        return NOW_MS

    clock = ExchangeClock(server_time, monotonic=lambda: 0.0)
    await clock.synchronize()
    feeds = {symbol: opened(symbol) for symbol in SYMBOLS}
    feeds[SYMBOLS[-1]].live.watch(Frame(1))
    weight = WeightCoordinator()
    async with (
        served(web.get("/api/v3/aggTrades", trades)) as url,
        BinanceRest(url, weight) as rest,
    ):
        checks = Checks(feeds, rest, weight, clock)
        checks.heard(SYMBOLS[0])
        running = asyncio.create_task(checks.run())
        await until(lambda: len(asked) >= len(SYMBOLS))
        running.cancel()
        await asyncio.wait({running})
    assert SYMBOLS[-1] in asked[:4]  # so many requests go at once
    assert SYMBOLS[0] in asked[len(SYMBOLS) - 4 : len(SYMBOLS)]
    assert set(asked[: len(SYMBOLS)]) == set(SYMBOLS)


@pytest.mark.parametrize(("count", "minutes"), [(375, 1), (1500, 4)])
async def test_a_round_takes_as_long_as_its_share_of_the_weight(count: int, minutes: int) -> None:
    async def server_time() -> int:
        return NOW_MS

    weight = WeightCoordinator()
    weight.set_limit(6000)
    feeds = {f"S{number}USDT": Feed(f"S{number}USDT") for number in range(count)}
    async with BinanceRest("http://127.0.0.1:9", weight) as rest:
        assert Checks(feeds, rest, weight, ExchangeClock(server_time)).minutes_a_round == minutes
