"""The simulated exchange as chaos sees it: its controls, and the truth that it keeps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

import aiohttp

from ingest.binance.parse import rest_page
from ingest.core.trade import Trade
from tests.running import simulator

PAGE = 1000


class Exchange:
    """A simulated exchange in a process of its own.

    It is asked from an address of its own, so that nothing asked here counts against the server.
    """

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session

    @classmethod
    @asynccontextmanager
    async def started(cls, *options: str) -> AsyncIterator[Self]:
        """An exchange that runs as long as the context."""
        connector = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
        async with (
            simulator("--weight-limit", "1000000", *options) as url,
            aiohttp.ClientSession(connector=connector) as session,
        ):
            yield cls(url, session)

    async def order(self, what: str, **fields: object) -> dict[str, Any]:
        """Give an order, such as `order("cut", count=1)`; answers with the state."""
        async with self._session.post(f"{self.url}/control/{what}", json=fields) as response:
            answer: dict[str, Any] = await response.json()
            assert response.status == 200, answer
            return answer

    async def state(self, requests: int = 0) -> dict[str, Any]:
        """Its state and counters, with this many of the newest requests."""
        async with self._session.get(f"{self.url}/control/state?requests={requests}") as response:
            answer: dict[str, Any] = await response.json()
            return answer

    async def last_id(self, symbol: str) -> int:
        """The newest id that was made by now; -1 when there is none."""
        number: int = (await self.state())["symbols"][symbol]["last_id"]
        return number

    async def trades(self, symbol: str, from_id: int = 0) -> list[Trade]:
        """Every trade that was made by now, by its own REST interface."""
        trades: list[Trade] = []
        while True:
            parameters = {"symbol": symbol, "fromId": str(from_id), "limit": str(PAGE)}
            url = f"{self.url}/api/v3/aggTrades"
            async with self._session.get(url, params=parameters) as response:
                page = rest_page(await response.read(), symbol)
            assert not page.malformed
            if not page.trades:
                return trades
            trades += page.trades
            from_id = page.trades[-1].aggregate_id + 1
