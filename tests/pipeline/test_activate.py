"""A symbol is opened on what the store holds and what the exchange has."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from ingest.binance.clock import ExchangeClock
from ingest.binance.rest import BinanceRest
from ingest.binance.weight import WeightCoordinator
from ingest.pipeline.activate import activate
from ingest.pipeline.feed import Feed
from ingest.storage import AsyncStore, Store
from tests.binance.support import served

NOW_MS = 1_700_000_000_000
HISTORY_MS = 300_000
FIRST_MS = NOW_MS - HISTORY_MS
FIRST, LAST = 10, 20


def time_of(number: int) -> int:
    """The ids below FIRST were made before the history, but for the last of them."""
    return FIRST_MS + (700 if number == FIRST - 1 else (number - FIRST) * 1_000)


async def whole_from(tmp_path: Path, *unreadable: int | None) -> int:
    """The time from which on the feed shows buckets; see `opened`."""
    return (await opened(tmp_path, *unreadable)).live.whole_from_ms


async def opened(
    tmp_path: Path,
    *unreadable: int | None,
    requests: list[str] | None = None,
    comes_late: bool = False,
) -> Feed:
    """A feed that was opened once for each of these trades, while that one could not be read.

    With `comes_late` all trades of the history are made after the first question.
    """
    spoilt: int | None = None
    is_early = comes_late

    def row(number: int) -> dict[str, object]:
        price = "1.0" if number != spoilt else "?"
        values = {"a": number, "p": price, "q": "1.0", "f": number, "l": number}
        return {**values, "T": time_of(number), "m": False, "M": True}

    async def trades(request: web.Request) -> web.Response:
        nonlocal is_early
        query, ids = request.query, range(FIRST if is_early else LAST + 1)
        is_early = False
        if requests is not None:
            requests.append(request.query_string)
        if "startTime" in query:
            start = int(query["startTime"])
            found = [n for n in ids if n >= FIRST and time_of(n) >= start]
        elif "fromId" in query:
            found = [n for n in ids if n >= int(query["fromId"])]
        else:
            found = [LAST]
        return web.json_response([row(n) for n in found[: int(query.get("limit", 500))]])

    async def server_time() -> int:
        return NOW_MS

    clock = ExchangeClock(server_time, monotonic=lambda: 0.0)
    await clock.synchronize()
    feed = Feed("AAAUSDT")
    with Store(f"chdb:///{tmp_path}/db") as store:
        async with (
            served(web.get("/api/v3/aggTrades", trades)) as url,
            BinanceRest(url, WeightCoordinator()) as rest,
        ):
            calls = AsyncStore(store)
            for spoilt in unreadable:  # noqa: B007 - the exchange's answers have it
                await activate(feed, calls, rest, clock, asyncio.Lock(), HISTORY_MS)
    assert feed.continuity is not None
    assert feed.continuity.first_id == FIRST
    return feed


async def test_a_quiet_symbol_is_opened_with_its_history_by_two_requests(tmp_path: Path) -> None:
    requests: list[str] = []
    feed = await opened(tmp_path, None, requests=requests)
    assert len(requests) == 2
    assert feed.continuity is not None
    assert feed.continuity.high_water == LAST
    assert feed.is_whole
    assert not feed.complete()  # the exchange is asked for its newest trade before


async def test_trades_that_come_between_two_questions_are_not_passed_over(tmp_path: Path) -> None:
    feed = await opened(tmp_path, None, comes_late=True)
    assert feed.continuity is not None
    assert feed.continuity.high_water == LAST


async def test_buckets_are_whole_after_the_trades_before_the_history(tmp_path: Path) -> None:
    assert await whole_from(tmp_path, None) == time_of(FIRST - 1) + 1


@pytest.mark.parametrize("unreadable", [0, FIRST - 1])
async def test_a_trade_that_cannot_be_read_may_lie_beyond_the_first(
    tmp_path: Path, unreadable: int
) -> None:
    """Where the times before the history are not known, no bucket beside it is shown."""
    assert await whole_from(tmp_path, unreadable) > time_of(FIRST - 1)


async def test_it_is_not_forgotten_when_the_symbol_is_opened_anew(tmp_path: Path) -> None:
    assert await whole_from(tmp_path, None, FIRST - 1) == time_of(FIRST - 1) + 1
