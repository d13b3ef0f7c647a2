"""A symbol whose name has letters of another script, everywhere that symbols go."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import quote

import aiohttp

from generated.native.facts import DataQuality
from ingest.storage import Store
from server.commands.watch import pair
from tests.e2e.client import Client
from tests.running import server, settings, simulator, until

SYMBOL = "币安人生USDT"


async def test_a_symbol_in_another_script_is_served_like_any(tmp_path: Path) -> None:
    async with (
        simulator("--symbols", f"BTCUSDT,{SYMBOL}", "--rate", "20") as exchange,
        aiohttp.ClientSession() as session,
    ):
        chosen = settings(exchange, tmp_path, symbols=SYMBOL, keep_trades=f"{SYMBOL}=30d")
        assert chosen.symbols.names == (SYMBOL,)
        async with server(chosen) as (running, url), Client.connect(url) as client:
            feed = running.provider.view.feed(SYMBOL)
            await until(lambda: feed.status.quality is DataQuality.COMPLETE)
            await client.subscribe(SYMBOL, [1, 7], candles=10)
            assert (await client.wait_for("initial_history"))["symbol"] == SYMBOL
            assert (await client.wait_for("ohlcv_update"))["data"] is not None
            for path in (
                f"tickers/{quote(SYMBOL)}",
                f"tickers/{quote(SYMBOL)}/mvs",
                f"data/trades/{quote(SYMBOL)}/latest",
                f"data/candles/{quote(SYMBOL)}?timeframe=7",
            ):
                async with session.get(f"{url}/api/v1/{path}") as response:
                    assert response.status == 200, await response.text()
                    assert SYMBOL in await response.text() or "trades" in path or "candles" in path
            store = running.provider.store
            await store.run(store.candles.materialize, SYMBOL, 7)
            [view] = await store.run(store.candles.views, SYMBOL)
            assert view.name == "ohlcv_7_币安人生usdt_mv"
            assert await store.run(store.connection.rows, f"SELECT count() FROM `{view.name}`") != [
                (0,)
            ]
    with Store(chosen.store) as store:
        assert store.candles.pairs == {(SYMBOL, 7)}
        assert await asyncio.to_thread(lambda: list(store.audit.run(repair=True))) == []


def test_the_programs_take_it_as_an_argument() -> None:
    assert pair(f"{SYMBOL.lower()}:15") == (SYMBOL, 15)
