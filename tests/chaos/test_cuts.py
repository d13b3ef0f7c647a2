"""Cuts, silence and refusals: the exchange is obeyed, and every gap is filled soon after.

CHAOS_SECONDS=1200 python -m pytest tests/chaos/test_cuts.py -s
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from pathlib import Path

from generated.native.facts import DataQuality
from ingest.core.continuity import Gap
from ingest.pipeline.provider import Provider
from ingest.storage import Store
from tests.chaos.exchange import Exchange
from tests.chaos.listener import listening
from tests.chaos.verdict import TIMEFRAMES, wrong_now, wrong_store, wrong_words
from tests.running import server, settings, until

SECONDS = float(os.environ.get("CHAOS_SECONDS", "20"))
PAUSE_SECONDS = 2.4
SEED = int(os.environ.get("CHAOS_SEED", "7"))
FILL_TIMEOUT_SECONDS = 5.0
SYMBOLS = ("AAAUSDT", "BBBUSDT")
MARKET = (
    *("--symbols", ",".join(SYMBOLS), "--rate", "30", "--speed", "60"),
    *("--genesis", "2024-01-01T00:00Z", "--clock-start", "2024-01-01T00:00Z"),
    *("--faults", "drop=0.0005,seed=4"),
)


class GapWatch:
    """How long gaps stay open while the exchange is well."""

    def __init__(self, provider: Provider, exchange: Exchange) -> None:
        self._provider = provider
        self._exchange = exchange
        self._open: dict[tuple[str, Gap], float] = {}
        self.trouble_until = 0.0
        """When the exchange is back from what was ordered last, in seconds since the epoch."""
        self.filled: list[float] = []
        """Seconds from when a gap opened, or the exchange was back, until it was filled."""

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            for request in (await self._exchange.state(requests=20))["requests"]:
                if request["retry_after"]:
                    back = request["time"] + request["retry_after"]
                    self.trouble_until = max(self.trouble_until, back)
            now = time.time()
            gaps = {
                (feed.symbol, gap)
                for feed in self._provider.feeds.values()
                if feed.continuity is not None
                for gap in feed.continuity.gaps
            }
            for key in gaps - self._open.keys():
                self._open[key] = now
            for key in self._open.keys() - gaps:
                since = max(self._open.pop(key), self.trouble_until)
                self.filled.append(now - since)
            await asyncio.sleep(0.1)


async def test_cuts_silence_and_refusals_are_survived(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    async with Exchange.started(*MARKET) as exchange:
        chosen = settings(exchange.url, tmp_path, symbols=",".join(SYMBOLS), history="30d")
        async with server(chosen) as (running, url), listening(url, SYMBOLS, TIMEFRAMES) as client:
            feeds = [running.provider.view.feed(symbol) for symbol in SYMBOLS]
            await until(lambda: all(f.status.quality is DataQuality.COMPLETE for f in feeds))
            watch = GapWatch(running.provider, exchange)
            watching = asyncio.create_task(watch.run())
            count = 0
            ends = time.monotonic() + SECONDS
            while time.monotonic() < ends:
                watch.trouble_until = time.time() + await trouble(exchange, rng)
                count += 1
                await asyncio.sleep(PAUSE_SECONDS * rng.uniform(0.5, 1.5))
            await asyncio.sleep(max(0.0, watch.trouble_until - time.time()))
            await exchange.order("clock", hold=True)
            lasts = {symbol: await exchange.last_id(symbol) for symbol in SYMBOLS}
            await until(
                lambda: all(
                    f.trades_stored == lasts[f.symbol] + 1
                    and f.status.quality is DataQuality.COMPLETE
                    for f in feeds
                ),
                60,
            )
            watching.cancel()
            await asyncio.sleep(2.5)  # two ticks
            state = await exchange.state()
            trades = {symbol: await exchange.trades(symbol) for symbol in SYMBOLS}
            wrong = [
                line
                for symbol in SYMBOLS
                for line in await wrong_now(url, client, symbol, trades[symbol], TIMEFRAMES)
            ]
    with Store(chosen.store) as store:
        for symbol in SYMBOLS:
            wrong += wrong_store(store, symbol, trades[symbol])
            wrong += wrong_words(client, symbol, trades[symbol])
    slow = [seconds for seconds in watch.filled if seconds > FILL_TIMEOUT_SECONDS]
    print(
        f"{count} troubles in {SECONDS:.0f} s; answers {state['rest_statuses']}; "
        f"{len(watch.filled)} gaps filled, the slowest after {max(watch.filled, default=0):.1f} s, "
        f"{len(slow)} after more than {FILL_TIMEOUT_SECONDS:.0f} s"
    )
    assert state["early_requests"] == 0
    assert not wrong, "\n".join(wrong[:30])


async def trouble(exchange: Exchange, rng: random.Random) -> float:
    """Let something go wrong; returns for how many seconds."""
    kind = rng.choice(("cut", "cut", "cut", "stall", "429", "418", "500", "outage"))
    if kind == "cut":
        await exchange.order("cut")
        return 0.0
    if kind == "stall":
        seconds = rng.uniform(1.0, 4.0)
        await exchange.order("stall", seconds=seconds, new=rng.random() < 0.5)
        return seconds
    if kind == "outage":
        seconds = rng.uniform(0.5, 3.0)
        await exchange.order("outage", seconds=seconds)
        return seconds
    if kind == "500":
        await exchange.order("answer", status=500, seconds=2.0)
        return 2.0
    await exchange.order("answer", status=int(kind), retry_after=rng.randint(1, 4), count=1)
    await exchange.order("cut")
    return 0.0
