"""A server with the simulated exchange behind it, and a browser, for all tests of the console."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from generated.native.facts import DataQuality
from ingest.core import missing
from server.app import Server
from server.settings import Settings
from support.browser import Tab, tab
from tests.chaos.exchange import Exchange
from tests.console.tools import CHROMIUM
from tests.running import free_port, server, settings, until

BUSY = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
SYMBOLS = (*BUSY, *(f"X{number:02}USDT" for number in range(60)))
ABSENT = "SOLUSDT"
"""The symbol of which the exchange lacks a trade at first."""
HOURS = 26


class World:
    """The exchange and the server, which can be started anew at the same address."""

    def __init__(self, exchange: Exchange, chosen: Settings) -> None:
        self.exchange, self._chosen = exchange, chosen
        self.url = f"http://127.0.0.1:{chosen.port}"
        self.server: Server
        self._stack = AsyncExitStack()

    async def start(self) -> None:
        """Serve, and wait until all is complete."""
        self.server, _ = await self._stack.enter_async_context(server(self._chosen))
        feeds = self.server.provider.feeds.values()
        await until(lambda: all(feed.status.quality is DataQuality.COMPLETE for feed in feeds))

    async def stop(self) -> None:
        """End the server."""
        await self._stack.aclose()

    async def get(self, path: str, **parameters: object) -> Any:
        """The reply of the server to a request."""
        query = {name: str(value) for name, value in parameters.items()}
        async with (
            ClientSession() as session,
            session.get(f"{self.url}/api/v1/{path}", params=query) as answer,
        ):
            assert answer.status == 200
            return await answer.json()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    directory: Path = tmp_path_factory.mktemp("console")
    market = ("--symbols", ",".join(SYMBOLS), "--total-rate", "1.5", "--seed", "5")
    with pytest.MonkeyPatch.context() as patch:
        # What the exchange finds after all is asked for soon.
        patch.setattr(missing, "FIRST_CONFIRMED_RETRY_S", 1.0)
        async with Exchange.started(*market) as exchange:
            last = await exchange.last_id(ABSENT)
            await exchange.order("missing", symbol=ABSENT, from_id=last - 60, to_id=last - 20)
            chosen = settings(
                exchange.url, directory, symbols=",".join(SYMBOLS), history=f"{HOURS}h",
                port=str(free_port()), requests_per_minute="100000", request_burst="100000",
            )  # fmt: skip
            made = World(exchange, chosen)
            await made.start()
            try:
                yield made
            finally:
                await made.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Tab]:
    async with tab(str(CHROMIUM), tmp_path_factory.mktemp("browser")) as opened:
        yield opened
