"""Trades that cannot be read are a named gap for as long as that lasts, and stored right after.

CHAOS_ROUNDS=1000 CHAOS_SEED=1 python -m pytest tests/chaos/test_unreadable.py -s
"""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ingest.storage import Store
from tests.chaos.exchange import Exchange
from tests.chaos.lies import FORMS
from tests.chaos.listener import listening
from tests.chaos.verdict import TIMEFRAMES, is_complete, wrong_store, wrong_words
from tests.running import server, settings, until

ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "3"))
SEED = int(os.environ.get("CHAOS_SEED", "8"))
SYMBOL = "AAAUSDT"
MARKET = ("--symbols", SYMBOL, "--rate", "30", "--seed", str(SEED))


async def test_what_cannot_be_read_is_waited_for_and_stored_once_it_can_be(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    async with Exchange.started(*MARKET) as exchange:
        chosen = settings(exchange.url, tmp_path, symbols=SYMBOL, history="1h")
        async with server(chosen) as (running, url), listening(url, [SYMBOL], TIMEFRAMES) as client:
            feed = running.provider.view.feed(SYMBOL)
            await until(lambda: is_complete(feed))
            assert feed.continuity is not None
            continuity = feed.continuity
            for _ in range(ROUNDS):
                first = await exchange.last_id(SYMBOL) + chance.randint(5, 60)
                last = first + chance.randint(0, 70)
                form = chance.choice(FORMS)
                await exchange.order(
                    "unreadable", symbol=SYMBOL, from_id=first, to_id=last, form=form
                )
                await until(lambda: bool(continuity.unreadable), 60)
                await asyncio.sleep(chance.uniform(0, 8))
                assert not is_complete(feed)
                assert not continuity.confirmed
                while await exchange.last_id(SYMBOL) < last:  # noqa: ASYNC110  # another program
                    await asyncio.sleep(0.1)
                await until(lambda: continuity.high_water > last)  # noqa: B023
                gap = (await ticker(url))["open_gaps"][0]
                assert (gap["kind"], gap["from_id"]) == ("unreadable", first)
                await exchange.order("readable", symbol=SYMBOL)
                await until(lambda: is_complete(feed), 60)
            await exchange.order("clock", hold=True)
            trades = await exchange.trades(SYMBOL, continuity.first_id)
            await until(lambda: feed.trades_stored == len(trades) and is_complete(feed))
            wrong = wrong_words(client, SYMBOL, trades)
    with Store(chosen.store) as store:
        wrong += wrong_store(store, SYMBOL, trades)
    assert not wrong, "\n".join(wrong[:30])


async def test_times_in_microseconds_are_read_on_the_stream_and_over_rest(tmp_path: Path) -> None:
    async with Exchange.started(*MARKET) as exchange:
        await exchange.order("microseconds", on=True)
        chosen = settings(exchange.url, tmp_path, symbols=SYMBOL, history="10m")
        async with server(chosen) as (running, _):
            feed = running.provider.view.feed(SYMBOL)
            await until(lambda: is_complete(feed) and feed.counters.received > 20)
            await exchange.order("cut")
            await until(lambda: not is_complete(feed))
            await until(lambda: is_complete(feed))
            assert feed.counters.malformed == 0
            await exchange.order("microseconds")
            await exchange.order("clock", hold=True)
            assert feed.continuity is not None
            trades = await exchange.trades(SYMBOL, feed.continuity.first_id)
            await until(lambda: feed.trades_stored == len(trades) and is_complete(feed))
            store = running.provider.store
            assert await store.run(store.trades.since, SYMBOL, 0) == trades


@pytest.mark.parametrize("form", FORMS)
async def test_an_unreadable_newest_trade_does_not_keep_a_symbol_from_starting(
    form: str, tmp_path: Path
) -> None:
    async with Exchange.started(*MARKET) as exchange:
        await exchange.order("clock", hold=True)
        newest = await exchange.last_id(SYMBOL)
        await exchange.order(
            "unreadable", symbol=SYMBOL, from_id=newest - 2, form=form, to_id=newest
        )
        chosen = settings(exchange.url, tmp_path, symbols=SYMBOL, history="10m")
        async with server(chosen) as (running, _):
            feed = running.provider.view.feed(SYMBOL)
            await until(lambda: bool(feed.continuity and feed.continuity.held > 100), 20)
            await exchange.order("readable", symbol=SYMBOL)
            await until(
                lambda: (
                    bool(feed.continuity and feed.continuity.high_water == newest)
                    and is_complete(feed)
                ),
                60,
            )


async def ticker(url: str) -> dict[str, Any]:
    """The server's reply on the symbol."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{url}/api/v1/tickers/{SYMBOL}") as response,
    ):
        answer: dict[str, Any] = (await response.json())["data"]
        return answer
