"""Stores trades and recomputes candles without end, until it is killed.

    python -m tests.storage.feeder DSN SEED

Prints the highest id below which everything was acknowledged, after each acknowledgement.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence

from ingest.core.trade import Trade
from ingest.storage import Store, progress

SYMBOL = "BTCUSDT"
MINUTE = 60_000
TIMEFRAMES = (1, 7, 173, 2850)


def trade(aggregate_id: int) -> Trade:
    """The trade of this id, always the same."""
    rng = random.Random(aggregate_id)
    return Trade(
        aggregate_id,
        rng.randint(1, 10**14),
        rng.randint(1, 10**12),
        aggregate_id * 3,
        aggregate_id * 3 + rng.randint(0, 2),
        aggregate_id * 7_000 + rng.randint(0, 20_000),
        rng.random() < 0.5,
    )


def touched(trades: Sequence[Trade], before: int) -> list[tuple[int, int]]:
    """The closed minutes of these trades."""
    starts = {t.timestamp // MINUTE * MINUTE for t in trades}
    return [(start, start + MINUTE) for start in starts if start + MINUTE <= before]


def feed(store: Store, seed: int) -> None:
    """New trades with holes that are filled later, minutes when they close, new timeframes."""
    rng = random.Random(seed)
    high = store.trades.high_water().get(SYMBOL, -1)
    waiting: list[Trade] = []
    held = store.trades.id_range(SYMBOL)
    holes = [] if held is None else [i for h in held.holes for i in range(h.from_id, h.to_id + 1)]
    closed = max(0, high) * 7_000 // MINUTE * MINUTE
    store.candles.recompute(store.candles.unsettled({SYMBOL: closed}))
    while True:
        fresh = [trade(high + 1 + n) for n in range(rng.randint(1, 60))]
        high = fresh[-1].aggregate_id
        left_out = set(rng.sample(range(len(fresh)), rng.randint(0, len(fresh) // 4)))
        batch = [t for n, t in enumerate(fresh) if n not in left_out or n == len(fresh) - 1]
        holes += [t.aggregate_id for t in fresh if t not in batch]
        if rng.random() < 0.4:
            batch += [trade(i) for i in holes]
            holes = []
        rng.shuffle(batch)
        store.trades.insert({SYMBOL: batch})
        print(min(holes) - 1 if holes else high, flush=True)
        waiting += batch
        # No later trade is older than this: ids and times differ in order by 20 s at the most.
        closed = high * 7_000 // MINUTE * MINUTE
        if rng.random() < 0.5:
            store.candles.recompute({SYMBOL: touched(waiting, closed)})
            waiting = [t for t in waiting if t.timestamp >= closed]
        if rng.random() < 0.1:
            store.candles.materialize(SYMBOL, rng.choice(TIMEFRAMES))
        if rng.random() < 0.05:
            store.candles.drop(SYMBOL, rng.choice(TIMEFRAMES))


if __name__ == "__main__":
    progress.NOTE_EVERY_SECONDS = 0.1  # as after hours
    with Store(sys.argv[1]) as opened:
        feed(opened, int(sys.argv[2]))
