"""A running exchange on a real socket, and a client for it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import settings

from simulator.app import Exchange, Settings, build, serving

RECORDINGS = Path(__file__).parents[3] / "shared" / "data" / "binance"
XRPETH = RECORDINGS / "XRPETH-aggTrades-2019-10-11_13.csv.gz"
BTCUSDT = RECORDINGS / "BTCUSDT-aggTrades-2020-01-02T1510.csv"
BTCUSDT_KLINES = RECORDINGS / "BTCUSDT-1m-2020-01-02.zip"

FEW = settings(deadline=None, max_examples=40)
"""Examples take milliseconds each here, more on a busy machine."""

needs_recordings = pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason=f"no recordings at {RECORDINGS}"
)


@dataclass
class Client:
    """Asks a running exchange."""

    exchange: Exchange
    url: str
    session: aiohttp.ClientSession

    async def get(self, path: str, **params: object) -> tuple[int, Any]:
        """Give status and decoded body of a REST answer."""
        query = {name: str(value) for name, value in params.items()}
        async with self.session.get(f"{self.url}/api/v3/{path}", params=query) as response:
            return response.status, await response.json()

    async def control(self, name: str, **values: object) -> Any:
        """Send a control request; gives the state."""
        async with self.session.post(f"{self.url}/control/{name}", json=values) as response:
            answer = await response.json()
            assert response.status == 200, answer
            return answer

    def connect(self, path: str) -> aiohttp.client._WSRequestContextManager:
        """Open a WebSocket that answers no ping by itself."""
        return self.session.ws_connect(self.url + path, autoping=False)


Start = Callable[[Settings], Awaitable[Client]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start exchanges that end with the test."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))
        )

        async def started(settings: Settings) -> Client:
            exchange = build(settings)
            url = await stack.enter_async_context(serving(exchange))
            return Client(exchange, url, session)

        yield started


async def trades(socket: aiohttp.ClientWebSocketResponse[bool], count: int) -> list[dict[str, Any]]:
    """Read that many aggregate trades, wrapped or not."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        message = await socket.receive_json(timeout=5)
        found.append(message.get("data", message))
    return found
