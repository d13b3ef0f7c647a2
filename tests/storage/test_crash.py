from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from ingest.storage import Store

from . import feeder, plain

KILLS = 3
MINUTE = 60_000


def test_kills_lose_nothing_and_leave_every_candle_exact(tmp_path: Path) -> None:
    dsn = f"chdb://{tmp_path}/db"
    rng = random.Random(7)
    for kill in range(KILLS):
        acknowledged = run_and_kill(dsn, kill, rng.uniform(0.3, 1.2))
        with Store(dsn) as store:
            check(store, acknowledged)


def run_and_kill(dsn: str, seed: int, seconds: float) -> int:
    """Let the feeder run for some time, and kill it; returns the last id that it acknowledged."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.storage.feeder", dsn, str(seed)],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        time.sleep(seconds)
        process.kill()
        lines += process.stdout.readlines()
    whole = [line for line in lines if line.endswith("\n")]
    assert whole, "the feeder did not start"
    return int(whole[-1])


def check(store: Store, acknowledged: int) -> None:
    stored = store.trades.since(feeder.SYMBOL, 0)
    by_id = {t.aggregate_id: t for t in stored}
    assert len(by_id) == len(stored)
    assert all(t == feeder.trade(t.aggregate_id) for t in stored)
    assert by_id.keys() >= set(range(acknowledged + 1))
    end = max(by_id) * 7_000 // MINUTE * MINUTE
    store.candles.recompute(store.candles.unsettled({feeder.SYMBOL: end}))
    assert [d for d in store.audit.run(repair=False) if d.what != "ids"] == []
    for timeframe in feeder.TIMEFRAMES:
        got = [plain.of_candle(c) for c in store.candles.read(feeder.SYMBOL, timeframe, end, 1000)]
        assert got == plain.candles(stored, timeframe, end, 1000)
