"""The exchange is asked for the followed symbols by one for all."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiohttp import web

from ingest.binance.rest import BinanceRest
from ingest.binance.weight import WeightCoordinator
from ingest.core.errors import ExchangeUnavailable
from ingest.core.symbol import Symbols
from ingest.pipeline import listing
from ingest.pipeline.listing import Listing
from tests.binance.support import served

SYMBOLS = tuple(f"S{number}USDT" for number in range(500))


async def test_an_exchange_that_does_not_answer_is_asked_once_for_all_symbols() -> None:
    requests = 0

    async def down(_: web.Request) -> web.Response:
        nonlocal requests
        requests += 1
        return web.Response(status=503)

    async with (
        served(web.get("/api/v3/exchangeInfo", down)) as url,
        BinanceRest(url, WeightCoordinator(), attempts=1) as rest,
    ):
        listing = Listing(rest, Symbols(SYMBOLS), SYMBOLS)
        results = await asyncio.gather(*map(listing.require, SYMBOLS), return_exceptions=True)
    assert all(isinstance(result, ExchangeUnavailable) for result in results)
    assert requests == 1


async def test_a_market_that_the_whole_list_leaves_out_is_no_absent_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listing, "LIST_SECONDS", 0.0)

    async def answer(request: web.Request) -> web.Response:
        if "symbols" not in request.query:
            return web.json_response({"symbols": [{"symbol": "BTCUSDT", "status": "TRADING"}]})
        names = json.loads(request.query["symbols"])
        if names != ["ODDUSDT"]:
            return web.json_response({"code": -1121, "msg": "Invalid symbol."}, status=400)
        return web.json_response({"symbols": [{"symbol": "ODDUSDT", "status": "TRADING"}]})

    chosen = Symbols.parse("*,ODDUSDT")
    async with (
        served(web.get("/api/v3/exchangeInfo", answer)) as url,
        BinanceRest(url, WeightCoordinator(), attempts=1) as rest,
    ):
        found = Listing(rest, chosen, chosen.names)
        for _ in range(4):
            await found.keep()
            assert found.absent == frozenset()
            assert {one.symbol for one in found.listed} == {"BTCUSDT", "ODDUSDT"}
            assert found.status("ODDUSDT") == "TRADING"
