"""A hole of any size in the exchange's ids is one gap, and closes when they are there after all.

CHAOS_ROUNDS=1000 CHAOS_SEED=1 python -m pytest tests/chaos/test_holes.py -s
"""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path

import pytest

from ingest.core import missing
from ingest.core.continuity import Gap
from ingest.pipeline.feed import Feed
from ingest.storage import Store
from tests.chaos.exchange import Exchange
from tests.chaos.verdict import is_complete, wrong_store
from tests.running import server, settings, until

ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "3"))
SEED = int(os.environ.get("CHAOS_SEED", "3"))
SYMBOLS = ("AAAUSDT", "BBBUSDT", "CCCUSDT")
MARKET = ("--symbols", ",".join(SYMBOLS), "--rate", "20", "--seed", str(SEED))
SPAN = 11_000
"""Ids of the downloaded history, at least, in which the holes are."""
CONFIRM_SECONDS = 3


async def test_a_hole_is_one_gap_and_heals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A round is a hole of one symbol: it ends early, or is confirmed, and then ends or stays."""
    monkeypatch.setattr(missing, "FIRST_CONFIRMED_RETRY_S", 2.0)
    chance = random.Random(SEED)
    async with Exchange.started(*MARKET) as exchange:
        for number in range(-(-ROUNDS // len(SYMBOLS))):
            wrong = await holes(exchange, chance, tmp_path / str(number))
            assert not wrong, "\n".join(wrong[:30])


async def holes(exchange: Exchange, chance: random.Random, directory: Path) -> list[str]:
    """A hole of each symbol, seen by a server with an empty store; gives what was wrong."""
    gaps: dict[str, Gap] = {}
    for symbol in SYMBOLS:
        size = chance.randint(1, chance.choice((1, 10, 1000, SPAN - 1000)))
        last = await exchange.last_id(symbol) - chance.randint(100, SPAN - size)
        gaps[symbol] = Gap(last - size + 1, last)
        await exchange.order("missing", symbol=symbol, from_id=last - size + 1, to_id=last)
    chosen = settings(
        exchange.url,
        directory,
        symbols=",".join(SYMBOLS),
        history="20m",
        confirm_seconds=str(CONFIRM_SECONDS),
    )
    async with server(chosen) as (running, _):
        view = running.provider.view
        fates = [
            asyncio.create_task(
                fate(
                    exchange,
                    view.feed(symbol),
                    gap,
                    chance.random(),
                    chance.random(),
                )
            )
            for symbol, gap in gaps.items()
        ]
        confirmed = dict(zip(SYMBOLS, await asyncio.gather(*fates), strict=True))
        await exchange.order("clock", hold=True)
        trades = {}
        for symbol in SYMBOLS:
            feed = running.provider.view.feed(symbol)
            assert feed.continuity is not None
            trades[symbol] = await exchange.trades(symbol, feed.continuity.first_id)
            count = len(trades[symbol])
            await until(lambda: feed.trades_stored == count and is_complete(feed))  # noqa: B023
        await exchange.order("clock", release=True)
    wrong: list[str] = []
    with Store(chosen.store) as store:
        for symbol in SYMBOLS:
            wrong += wrong_store(store, symbol, trades[symbol])
            kept = [item.gap for item in store.gaps.confirmed().get(symbol, ())]
            if kept != ([gaps[symbol]] if confirmed[symbol] else []):
                wrong.append(f"{symbol}: {kept} is kept as confirmed, {confirmed[symbol]=}")
    for symbol in SYMBOLS:
        await exchange.order("found", symbol=symbol)
    return wrong


async def fate(exchange: Exchange, feed: Feed, hole: Gap, kind: float, pause: float) -> bool:
    """Let a hole end early, late or never; gives whether it was ever confirmed."""
    if kind < 0.4:
        await until(lambda: bool(feed.continuity and feed.continuity.lacks(hole.from_id)), 30)
        await asyncio.sleep(pause * (CONFIRM_SECONDS - 1))
        await exchange.order("found", symbol=feed.symbol)
        await until(lambda: is_complete(feed), 60)
        assert feed.continuity is not None
        assert not feed.continuity.confirmed
        return False
    await until(lambda: is_complete(feed), 60)
    assert feed.continuity is not None
    assert feed.continuity.confirmed == [hole]
    if kind < 0.7:
        return True
    await asyncio.sleep(pause * 3)
    await exchange.order("found", symbol=feed.symbol)
    await until(lambda: bool(feed.continuity and not feed.continuity.confirmed), 60)
    await until(lambda: is_complete(feed))
    return True
