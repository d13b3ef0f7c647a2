"""An exchange that starts late, starts anew in its own past, or answers on one side only."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp

from generated.native.facts import DataQuality
from ingest.storage import Store
from server.app import Server
from tests.chaos.exchange import Exchange
from tests.chaos.listener import listening
from tests.chaos.verdict import TIMEFRAMES, wrong_now, wrong_store, wrong_words
from tests.e2e.client import Client
from tests.running import free_port, server, settings, until

SYMBOL = "AAAUSDT"
MARKET = ("--symbols", SYMBOL, "--genesis", "2024-01-01T00:00Z", "--rate", "2")


async def verdict(
    exchange: Exchange, running: Server, url: str, client: Client, from_id: int = 0
) -> list[str]:
    """Stop the market, let all come in, and compare."""
    feed = running.provider.view.feed(SYMBOL)
    await exchange.order("clock", hold=True)
    trades = await exchange.trades(SYMBOL, from_id)
    await until(
        lambda: feed.trades_stored == len(trades) and feed.status.quality is DataQuality.COMPLETE
    )
    await asyncio.sleep(2.5)  # two ticks
    wrong = await wrong_now(url, client, SYMBOL, trades, TIMEFRAMES)
    store = running.provider.store
    if await store.run(store.trades.since, SYMBOL, 0) != trades:
        wrong.append("other trades are stored than the exchange has")
    return wrong + wrong_words(client, SYMBOL, trades)


async def test_the_first_trades_of_a_symbol_are_taken_though_they_were_lost(
    tmp_path: Path,
) -> None:
    market = (*MARKET, "--clock-start", "2023-12-31T23:50Z", "--speed", "120")
    async with Exchange.started(*market, "--faults", "drop=0.5,seed=1") as exchange:
        chosen = settings(exchange.url, tmp_path, symbols=SYMBOL, history="30d")
        async with server(chosen) as (running, url), listening(url, [SYMBOL], TIMEFRAMES) as client:
            feed = running.provider.view.feed(SYMBOL)
            await until(lambda: feed.status.quality is DataQuality.COMPLETE)
            assert feed.continuity is None
            await until(lambda: feed.trades_stored > 500)
            wrong = await verdict(exchange, running, url, client)
    assert not wrong, "\n".join(wrong[:20])


async def test_an_exchange_that_is_away_at_the_start_is_waited_for(tmp_path: Path) -> None:
    port = free_port()
    market = (*MARKET, "--clock-start", "2024-01-01T01:00Z", "--speed", "60", "--port", str(port))
    chosen = settings(f"http://127.0.0.1:{port}", tmp_path, symbols=SYMBOL, history="30d")
    async with server(chosen) as (running, url), listening(url, [SYMBOL], TIMEFRAMES) as client:
        feed = running.provider.view.feed(SYMBOL)
        await until(lambda: client.qualities.get(SYMBOL) == "unknown")
        async with Exchange.started(*market) as exchange:
            await until(lambda: feed.status.quality is DataQuality.COMPLETE)
            wrong = await verdict(exchange, running, url, client)
    assert not wrong, "\n".join(wrong[:20])


async def test_an_exchange_that_starts_anew_in_its_past_changes_nothing(tmp_path: Path) -> None:
    port = free_port()
    market = (*MARKET, "--clock-start", "2024-01-01T05:00Z", "--speed", "600", "--port", str(port))
    chosen = settings(f"http://127.0.0.1:{port}", tmp_path, symbols=SYMBOL, history="30d")
    async with server(chosen) as (running, url), listening(url, [SYMBOL], TIMEFRAMES) as client:
        feed = running.provider.view.feed(SYMBOL)
        async with Exchange.started(*market):
            await until(
                lambda: feed.status.quality is DataQuality.COMPLETE and feed.trades_stored > 40_000
            )
        known = feed.trades_stored
        async with Exchange.started(*market) as exchange:
            await until(lambda: feed.counters.repeated > 0)
            await until(lambda: feed.trades_stored > known + 2000)
            wrong = await verdict(exchange, running, url, client)
    async with Exchange.started(*market) as exchange, server(chosen) as (running, url):
        feed = running.provider.view.feed(SYMBOL)
        await until(lambda: feed.status.quality is DataQuality.COMPLETE)
        assert feed.continuity is not None
        assert (feed.continuity.first_id, feed.continuity.confirmed) == (0, [])
        trades = await exchange.trades(SYMBOL)
        await until(lambda: bool(feed.continuity and feed.continuity.held >= len(trades)))
    with Store(chosen.store) as store:
        stored = store.trades.since(SYMBOL, 0)
        assert stored[: len(trades)] == trades
        wrong += wrong_store(store, SYMBOL, stored)
    assert not wrong, "\n".join(wrong[:20])


async def test_gaps_wait_while_the_exchange_only_streams(tmp_path: Path) -> None:
    market = (*MARKET, "--clock-start", "2024-01-01T01:00Z", "--speed", "60")
    async with Exchange.started(*market) as exchange:
        chosen = settings(exchange.url, tmp_path, symbols=SYMBOL, history="30d")
        async with server(chosen) as (running, url), listening(url, [SYMBOL], TIMEFRAMES) as client:
            feed = running.provider.view.feed(SYMBOL)
            await until(lambda: feed.status.quality is DataQuality.COMPLETE)
            await exchange.order("answer", status=500, seconds=600)
            await exchange.order("faults", drop=0.05)
            await until(lambda: bool(feed.continuity and feed.continuity.gaps))
            streamed = feed.counters.received
            await until(lambda: feed.counters.received > streamed + 200)
            assert feed.status.quality is DataQuality.PARTIAL
            await exchange.order("reset")
            wrong = await verdict(exchange, running, url, client)
    assert not wrong, "\n".join(wrong[:20])


async def test_a_history_that_starts_on_a_boundary_shows_its_first_bucket(tmp_path: Path) -> None:
    market = (*MARKET, "--clock-start", "2024-01-02T00:10Z")
    midnight_ms = 1_704_153_600_000
    async with Exchange.started(*market) as exchange:
        trades = await exchange.trades(SYMBOL)
        chosen = settings(exchange.url, tmp_path, symbols=SYMBOL, history="1m")
        with Store(chosen.store) as store:
            store.trades.insert({SYMBOL: [t for t in trades if t.timestamp >= midnight_ms]})
        async with server(chosen) as (running, url), aiohttp.ClientSession() as session:
            feed = running.provider.view.feed(SYMBOL)
            await until(lambda: feed.status.quality is DataQuality.COMPLETE)
            for timeframe in (1, 7, 1440):
                path = f"{url}/api/v1/data/candles/{SYMBOL}?timeframe={timeframe}&start_time=0"
                async with session.get(path) as response:
                    candles = (await response.json())["data"]
                first = -(-midnight_ms // (timeframe * 60_000)) * timeframe * 60_000
                assert candles[0]["candle_time"] == first
