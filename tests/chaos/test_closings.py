"""A minute is called over only when no trade of it can be missing, whatever the stream carries.

CHAOS_ROUNDS=1000 CHAOS_SEED=1 python -m pytest tests/chaos/test_closings.py -s
"""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path

from generated.native.facts import DataQuality
from ingest.storage import Store
from tests.chaos.exchange import Exchange
from tests.chaos.listener import listening
from tests.chaos.verdict import wrong_closings, wrong_store, wrong_words
from tests.running import server, settings, until

ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "6"))
SEED = int(os.environ.get("CHAOS_SEED", "8"))
SYMBOLS = ("AAAUSDT", "BBBUSDT")
MARKET = (
    *("--symbols", ",".join(SYMBOLS), "--rate", "1", "--speed", "20", "--seed", str(SEED)),
    *("--genesis", "2024-01-01T00:00Z", "--clock-start", "2024-01-01T01:00Z"),
)
FAULTS = ("garbage", "symbol", "corrupt", "drop", "stall")


async def test_no_minute_is_called_over_while_trades_of_it_are_missing(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    async with Exchange.started(*MARKET) as exchange:
        chosen = settings(exchange.url, tmp_path, symbols=",".join(SYMBOLS), history="30d")
        async with server(chosen) as (running, url), listening(url, SYMBOLS, (1, 7)) as client:
            feeds = [running.provider.view.feed(symbol) for symbol in SYMBOLS]
            await until(lambda: all(f.status.quality is DataQuality.COMPLETE for f in feeds))
            for _ in range(ROUNDS):
                fault, seconds = chance.choice(FAULTS), chance.uniform(0.3, 4)
                if fault == "stall":
                    await exchange.order("stall", seconds=seconds)
                else:
                    await exchange.order("faults", **{fault: chance.choice((0.5, 1.0))})
                await asyncio.sleep(seconds)
                await exchange.order("faults", reset=True)
                await until(lambda: all(f.status.quality is DataQuality.COMPLETE for f in feeds))
                await asyncio.sleep(chance.uniform(0, 2))
            await exchange.order("clock", hold=True)
            trades = {symbol: await exchange.trades(symbol) for symbol in SYMBOLS}
            await until(
                lambda: all(
                    feed.trades_stored == len(trades[feed.symbol])
                    and feed.status.quality is DataQuality.COMPLETE
                    for feed in feeds
                )
            )
            await asyncio.sleep(2.5)  # two ticks
    wrong = []
    with Store(chosen.store) as store:
        for symbol in SYMBOLS:
            assert (
                len({p["candle_time"] for s, _, p in client.received if s == symbol}) > ROUNDS / 2
            )
            wrong += wrong_closings(client, symbol, trades[symbol])
            wrong += wrong_words(client, symbol, trades[symbol])
            wrong += wrong_store(store, symbol, trades[symbol])
    assert not wrong, "\n".join(wrong[:30])
