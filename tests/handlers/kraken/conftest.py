"""A server with the simulated exchange behind it, shared by the tests of a module."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio

from generated.native.facts import DataQuality
from server.app import Server
from tests.running import server, settings, simulator, until

API_KEY = "a key of the tests"
TOKEN_SECONDS = 2
SUBSCRIPTIONS = 14
"""Of one connection."""


class Running(NamedTuple):
    """A server in this process, and where it is."""

    server: Server
    url: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    directory: Path = tmp_path_factory.mktemp("kraken")
    chosen = {
        "symbols": "BTCUSDT,ETHBTC,DOGEUSDT",
        "history": "2h",
        "kraken_api_key": API_KEY,
        "kraken_token_seconds": str(TOKEN_SECONDS),
        "messages_per_second": "1000",
        "message_burst": "1000",
        "websockets_per_ip": "50",
        "subscriptions_per_connection": str(SUBSCRIPTIONS),
    }
    # The exchange begins with this hour, so that a candle of any width is whole.
    genesis = f"{datetime.now(UTC):%Y-%m-%dT%H}:00Z"
    market = ("--symbols", chosen["symbols"], "--rate", "20", "--seed", "3", "--genesis", genesis)
    async with (
        simulator(*market) as exchange,
        server(settings(exchange, directory, **chosen)) as (made, url),
    ):
        feeds = made.provider.feeds.values()
        await until(lambda: all(feed.status.quality is DataQuality.COMPLETE for feed in feeds))
        yield Running(made, url)
