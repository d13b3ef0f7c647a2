"""Symbols that the exchange does not have: the others are served all the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from generated.native.facts import DataQuality
from ingest.core.errors import SettingError
from ingest.pipeline import following, listing
from tests import running

NO_SUCH_SYMBOL = '{"code":-1121,"msg":"Invalid symbol."}'


@pytest.fixture
async def exchange() -> AsyncIterator[str]:
    async with running.simulator("--symbols", "BTCUSDT,ETHUSDT", "--speed", "60") as url:
        yield url


async def get(url: str) -> Any:
    async with aiohttp.ClientSession() as session, session.get(url) as reply:
        assert reply.status == 200, await reply.text()
        return await reply.json()


async def test_a_symbol_that_the_exchange_dropped_is_unknown_and_the_others_are_complete(
    exchange: str, tmp_path: Path
) -> None:
    chosen = running.settings(exchange, tmp_path, symbols="BTCUSDT,GONEUSDT", history="1m")
    async with running.server(chosen) as (server, url):
        feeds = server.provider.feeds
        await running.until(lambda: feeds["BTCUSDT"].status.quality is DataQuality.COMPLETE)
        shown = {
            ticker["symbol"]: (ticker["exchange_status"], ticker["connected"])
            for ticker in (await get(f"{url}/api/v1/tickers/"))["data"]
        }
        assert shown == {"BTCUSDT": ("TRADING", True), "GONEUSDT": ("NOT_LISTED", False)}
        await server.provider.synchronize()
        assert feeds["GONEUSDT"].status.quality is DataQuality.UNKNOWN


async def test_a_symbol_that_the_exchange_takes_up_again_is_followed(
    exchange: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (listing, following):
        monkeypatch.setattr(module, "LIST_SECONDS", 0.5)
    refused = {"path": "/api/v3/exchangeInfo", "status": 400, "body": NO_SUCH_SYMBOL, "count": 2}
    async with aiohttp.ClientSession() as session:
        await session.post(f"{exchange}/control/answer", json=refused)
    chosen = running.settings(exchange, tmp_path, symbols="BTCUSDT,ETHUSDT", history="1m")
    async with running.server(chosen) as (server, _):
        assert server.provider.listing.absent == {"BTCUSDT"}  # asked with the other, then alone
        feeds = server.provider.feeds.values()
        await running.until(lambda: all(f.status.quality is DataQuality.COMPLETE for f in feeds))
        assert not server.provider.listing.absent


async def test_a_server_that_has_nothing_to_follow_does_not_start(
    exchange: str, tmp_path: Path
) -> None:
    chosen = running.settings(exchange, tmp_path, symbols="GONEUSDT,AWAYUSDT")
    with pytest.raises(SettingError, match="CANDLECAST_SYMBOLS"):
        async with running.server(chosen):
            pass
