"""The exchange is asked for the followed symbols by one for all."""

from __future__ import annotations

import asyncio

from aiohttp import web

from ingest.binance.rest import BinanceRest
from ingest.binance.weight import WeightCoordinator
from ingest.core.errors import ExchangeUnavailable
from ingest.core.symbol import Symbols
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
