"""Wrong server times and wrong newest ids are not believed, and leave nothing behind.

CHAOS_ROUNDS=1000 CHAOS_SEED=1 python -m pytest tests/chaos/test_lies.py -s
"""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path

import pytest
from msgspec.structs import replace

from generated.native.facts import DataQuality
from ingest.storage import Store
from tests.chaos.exchange import Exchange
from tests.chaos.lies import CENTURY_MS
from tests.chaos.listener import listening
from tests.chaos.verdict import wrong_closings, wrong_store, wrong_words
from tests.running import server, settings, until

ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "3"))
SEED = int(os.environ.get("CHAOS_SEED", "8"))
SYMBOL = "AAAUSDT"
MARKET = ("--symbols", SYMBOL, "--rate", "20", "--seed", str(SEED))


async def test_lies_about_time_and_ids_change_nothing(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    async with Exchange.started(*MARKET) as exchange:
        chosen = settings(exchange.url, tmp_path, symbols=SYMBOL, history="1h")
        async with server(chosen) as (running, url), listening(url, [SYMBOL], (1, 7)) as client:
            feed = running.provider.view.feed(SYMBOL)
            await until(lambda: feed.status.quality is DataQuality.COMPLETE)
            assert feed.continuity is not None
            for _ in range(ROUNDS):
                seconds = chance.uniform(1, 9)
                await exchange.order(
                    "lie",
                    time_ms=chance.choice((0, CENTURY_MS, 3_600_000, -3_600_000, 5_000)),
                    newest=chance.choice((0, 10**9, 5_000, -5_000)),
                    seconds=seconds,
                )
                if chance.random() < 0.5:
                    await exchange.order("cut")
                await asyncio.sleep(seconds)
                await until(lambda: feed.status.quality is DataQuality.COMPLETE, 150)
                offset_ms = running.provider.clock.now_ms() - (await exchange.state())["time_ms"]
                assert abs(offset_ms) < 2_000
                assert feed.continuity.high_water <= await exchange.last_id(SYMBOL)
            await exchange.order("clock", hold=True)
            trades = await exchange.trades(SYMBOL, feed.continuity.first_id)
            await until(
                lambda: (
                    feed.trades_stored == len(trades)
                    and feed.status.quality is DataQuality.COMPLETE
                )
            )
    wrong = wrong_words(client, SYMBOL, trades) + wrong_closings(client, SYMBOL, trades)
    with Store(chosen.store) as store:
        [(closed_ms,)] = store.connection.rows("SELECT max(closed_ms) FROM progress")
        assert int(closed_ms) <= trades[-1].timestamp + 60_000
        wrong += wrong_store(store, SYMBOL, trades)
    assert not wrong, "\n".join(wrong[:30])


@pytest.mark.parametrize("lie", [{"time_ms": CENTURY_MS}, {"newest": 10**9}], ids=["time", "id"])
async def test_a_lie_at_the_start_mends_itself(tmp_path: Path, lie: dict[str, int]) -> None:
    async with Exchange.started(*MARKET) as exchange:
        chosen = settings(exchange.url, tmp_path, symbols=SYMBOL, history="10m")
        await exchange.order("lie", seconds=4, **lie)
        async with server(chosen) as (running, _):
            feed = running.provider.view.feed(SYMBOL)
            await asyncio.sleep(4)
            await until(
                lambda: (
                    feed.status.quality is DataQuality.COMPLETE
                    and feed.continuity is not None
                    and feed.continuity.held > 5_000
                ),
                40,
            )
            last = await exchange.last_id(SYMBOL)
            await until(lambda: bool(feed.continuity and feed.continuity.high_water >= last))
            now_ms = (await exchange.state())["time_ms"]
            assert abs(running.provider.clock.now_ms() - now_ms) < 2_000
            assert feed.live.watermark <= now_ms


async def test_stored_ids_that_are_impossible_are_removed(tmp_path: Path) -> None:
    async with Exchange.started(*MARKET) as exchange:
        chosen = settings(exchange.url, tmp_path, symbols=SYMBOL, history="10m")
        async with server(chosen) as (running, _):
            await until(
                lambda: running.provider.view.feed(SYMBOL).status.quality is DataQuality.COMPLETE
            )
        last = await exchange.last_id(SYMBOL)
        known = (await exchange.trades(SYMBOL, last))[0]
        old_ms = known.timestamp - 400_000
        wrong_ids = [
            replace(known, aggregate_id=last + ahead, timestamp=old_ms + ahead % 7 * 1000)
            for ahead in (500_000, 500_001, 10**9)
        ]
        with Store(chosen.store) as store:
            store.trades.insert({SYMBOL: wrong_ids})
        async with server(chosen) as (running, _):
            feed = running.provider.view.feed(SYMBOL)
            await until(lambda: feed.status.quality is DataQuality.COMPLETE, 150)
            await exchange.order("clock", hold=True)
            trades = await exchange.trades(SYMBOL, feed.continuity.first_id)  # type: ignore[union-attr]
            await until(
                lambda: (
                    feed.trades_stored == len(trades)
                    and feed.status.quality is DataQuality.COMPLETE
                )
            )
    with Store(chosen.store) as store:
        assert store.trades.since(SYMBOL, 0) == trades
        wrong = wrong_store(store, SYMBOL, trades)
        assert list(store.audit.run([SYMBOL], repair=False)) == []
    assert not wrong, "\n".join(wrong[:30])
