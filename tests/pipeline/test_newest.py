"""The newest trade is believed as far as what follows its id bears it out."""

from __future__ import annotations

import pytest
from aiohttp import web

from ingest.binance.page import MAX_ROWS
from ingest.binance.rest import BinanceRest
from ingest.binance.weight import WeightCoordinator
from ingest.core.errors import ExchangeUnavailable
from ingest.pipeline.newest import newest_trade
from tests.binance.support import served

LAST = 9_000


def row(number: int) -> dict[str, object]:
    values = {"a": number, "p": "1.0", "q": "1.0", "f": number, "l": number, "T": number}
    return {**values, "m": False, "M": True}


async def newest(*answers: int, known_id: int = -1) -> int:
    """The newest id, where the exchange gives these as the newest one after another."""
    left = list(answers)

    async def trades(request: web.Request) -> web.Response:
        first = int(request.query.get("fromId", LAST + 1))
        if "fromId" not in request.query:
            return web.json_response([row(left.pop(0))])
        limit = int(request.query["limit"])
        return web.json_response([row(n) for n in range(first, min(LAST + 1, first + limit))])

    async with (
        served(web.get("/api/v3/aggTrades", trades)) as url,
        BinanceRest(url, WeightCoordinator()) as rest,
    ):
        found = await newest_trade(rest, "BTCUSDT", known_id)
    assert found is not None
    assert not left
    return found.aggregate_id


async def test_one_just_after_a_known_one_is_believed_alone() -> None:
    assert await newest(500, known_id=400) == 500


async def test_trades_that_came_after_it_are_newer() -> None:
    assert await newest(LAST) == LAST
    assert await newest(LAST - 3) == LAST


async def test_in_a_fast_market_the_next_answer_is_taken() -> None:
    assert await newest(LAST - 5_000, LAST) == LAST


async def test_one_that_many_follow_is_not_believed_twice() -> None:
    with pytest.raises(ExchangeUnavailable, match="many after it"):
        await newest(LAST - 5_000, LAST - 5_000)


async def test_one_that_the_exchange_does_not_have_is_not_believed() -> None:
    with pytest.raises(ExchangeUnavailable, match="no trade with that id"):
        await newest(LAST + 10**9)


async def test_the_next_answer_is_held_to_the_exchange_too() -> None:
    with pytest.raises(ExchangeUnavailable, match="no trade with that id"):
        await newest(LAST - 5_000, LAST + 500)


async def test_in_a_market_that_stays_fast_a_trade_that_exists_is_taken() -> None:
    assert await newest(LAST - 5_000, LAST - 3_500) == LAST - 3_500 + MAX_ROWS - 1
