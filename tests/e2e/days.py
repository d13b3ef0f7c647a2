"""A server that follows one symbol, which has three days of history."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from ingest.core.keep import DAY_MS
from ingest.core.timeframe import MINUTE_MS
from ingest.core.trade import Trade
from ingest.pipeline.feed import Feed
from tests.e2e.rest import JSON, READERS, START_MS, Rest, Rows, rest
from tests.factories import trade

__all__ = ["rest", "server"]

BEGIN = START_MS - 3 * DAY_MS
"""The 29th of December 2021."""
STEP_MS = 7 * MINUTE_MS + 1_234
TRADES = [
    trade(
        100 + n,
        price=f"{40_000 + n % 97}.{n % 100:02}",
        quantity=f"0.{n % 89 + 1:08}",
        timestamp=BEGIN + n * STEP_MS,
        is_buyer_maker=n % 3 == 0,
    )
    for n in range(3 * DAY_MS // STEP_MS + 1)
]
"""To the first of January."""
WATERMARK = START_MS + 2 * MINUTE_MS
DAYS = ("2021-12-29", "2021-12-30", "2021-12-31")


class Server:
    """The files of a server that follows one symbol."""

    def __init__(self, rest: Rest, feed: Feed, session: aiohttp.ClientSession) -> None:
        self.rest = rest
        self.feed = feed
        self.symbol = feed.symbol
        self._session = session

    async def get(
        self, path: str, method: str = "GET", **headers: str
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        given = {name.replace("_", "-"): text for name, text in headers.items()}
        url = f"{self.rest.url}/api/v1/data/files/{path}"
        async with self._session.request(method, url, headers=given) as reply:
            return reply, await reply.read()

    async def rows(self, path: str) -> Rows:
        reply, body = await self.get(path)
        assert reply.status == 200, body
        if path.endswith(".parquet"):
            return READERS["application/vnd.apache.parquet"](body)
        return READERS["text/csv"](gzip.decompress(body))

    async def refused(self, path: str) -> tuple[int, str]:
        """The status and the text of an error."""
        reply, body = await self.get(path)
        problem = json.loads(body)
        assert problem["success"] is False
        return reply.status, problem["error"]

    async def candles(self, timeframe: int, start_ms: int, end_ms: int) -> Rows:
        """The candles that begin in [start, end), as JSON has them."""
        query = {"timeframe": timeframe, "start_time": start_ms, "end_time": end_ms - 1}
        found, _ = await self.rest.pages(f"candles/{self.symbol}", JSON, limit=10_000, **query)
        return found

    async def store(self, trades: list[Trade]) -> None:
        """Store trades as a repair does."""
        store = self.rest.provider.store
        await store.run(store.trades.insert, {self.symbol: trades})
        spans = await store.run(store.candles.unsettled, {self.symbol: WATERMARK})
        await store.run(store.candles.recompute, spans)


@pytest.fixture
async def server(rest: Rest) -> AsyncIterator[Server]:
    feed = await rest.follow(TRADES, WATERMARK)
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        yield Server(rest, feed, session)
