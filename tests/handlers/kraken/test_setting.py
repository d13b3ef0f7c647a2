"""Kraken's API can be left out."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from tests.running import server, settings, simulator


@pytest.mark.parametrize("path", ["/kraken", "/kraken-auth", "/kraken/0/public/AssetPairs"])
async def test_nothing_of_it_is_served_then(tmp_path: Path, path: str) -> None:
    async with (
        simulator("--symbols", "BTCUSDT") as exchange,
        server(settings(exchange, tmp_path, symbols="BTCUSDT", kraken="no")) as (_, url),
        aiohttp.ClientSession(url) as session,
        session.get(path, headers={"Upgrade": "websocket"}) as answer,
    ):
        assert answer.status == 404
