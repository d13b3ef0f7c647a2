"""Files of the store that a failing disk spoils: set aside, and what they held fetched again.

CHAOS_ROUNDS=1000 CHAOS_SEED=1 python -m pytest tests/chaos/test_damage.py -s
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
from tests.chaos.verdict import TIMEFRAMES, wrong_now, wrong_store
from tests.running import server, settings, until

ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "4"))
SEED = int(os.environ.get("CHAOS_SEED", "9"))
SYMBOL = "AAAUSDT"
MARKET = (
    *("--symbols", SYMBOL, "--genesis", "2024-01-31T12:00Z", "--rate", "0.5"),
    *("--clock-start", "2024-01-31T23:00Z", "--speed", "60", "--seed", str(SEED)),
)


SILENT = ("minmax_", "skp_idx")
"""Files that the engine reads without a look at their checksums, unless it is asked to check."""


def spoil(chance: random.Random, directory: Path) -> str:
    """Flip bits in a file of a part, or cut its end off."""
    found = directory.glob("db/store/*/*/*/checksums.txt")
    parts = [file.parent for file in found if file.parts[-3] != "detached"]
    file = chance.choice([f for f in chance.choice(parts).iterdir() if f.is_file()])
    content = bytearray(file.read_bytes())
    cut = chance.random() < 0.5
    if cut:
        content = content[: chance.randrange(len(content) + 1) // 2]
    else:
        for _ in range(chance.randint(1, 3)):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    file.write_bytes(content)
    return f"{'cut' if cut else 'flipped'} {file.parent.name}/{file.name}"


def repaired(dsn: str) -> list[str]:
    """The differences that an audit finds and repairs."""
    with Store(dsn) as store:
        return [str(difference) for difference in store.audit.run(repair=True)]


async def settled(exchange: Exchange, directory: Path, history: str) -> list[str]:
    """Run until nothing is missing; what is wrong then."""
    chosen = settings(exchange.url, directory, symbols=SYMBOL, history=history)
    async with (
        server(chosen) as (running, url),
        listening(url, [SYMBOL], TIMEFRAMES, 100) as client,
    ):
        feed = running.provider.view.feed(SYMBOL)
        candles = running.provider.store.candles
        await running.provider.store.run(candles.materialize, SYMBOL, 7)
        await until(lambda: feed.status.quality is DataQuality.COMPLETE, 60)
        await exchange.order("clock", hold=True)
        trades = await exchange.trades(SYMBOL, 0)
        await until(
            lambda: (
                feed.trades_stored == len(trades) and feed.status.quality is DataQuality.COMPLETE
            ),
            60,
        )
        while True:
            await until(lambda: feed.status.quality is DataQuality.COMPLETE, 60)
            await asyncio.sleep(1.5)  # a tick
            known = len(running.provider.store.torn_parts)
            wrong = await wrong_now(url, client, SYMBOL, trades, TIMEFRAMES)
            if len(running.provider.store.torn_parts) == known:
                break  # else the comparison itself found another part, and nothing can be said
    with Store(chosen.store) as store:
        return wrong + wrong_store(store, SYMBOL, trades)


async def test_what_spoilt_parts_held_is_fetched_again(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    async with Exchange.started(*MARKET) as exchange:
        assert await settled(exchange, tmp_path, "30d") == []
        for _ in range(ROUNDS):
            await exchange.order("clock", release=True)
            spoilt = [spoil(chance, tmp_path) for _ in range(chance.randint(1, 3))]
            found = None
            if chance.random() < 0.5 or any(name in text for name in SILENT for text in spoilt):
                found = await asyncio.to_thread(repaired, f"chdb://{tmp_path}/db")
            print(f"{'; '.join(spoilt)}; the audit: {found}")
            # The history that is asked for now is shorter than what the store had.
            wrong = await settled(exchange, tmp_path, "30m")
            wrong = [text for text in wrong if " part " not in text]  # not read by anybody yet
            assert not wrong, "\n".join(wrong[:20])
