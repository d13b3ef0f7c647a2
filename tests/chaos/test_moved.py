"""A trade has one time, whichever the exchange gave last, and counts in one minute only.

CHAOS_ROUNDS=1000 CHAOS_SEED=1 python -m pytest tests/chaos/test_moved.py -s
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from pathlib import Path

from ingest.core.fixed import text
from ingest.core.trade import Trade
from ingest.storage import Store
from tests.storage import plain

ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "10"))
SEED = int(os.environ.get("CHAOS_SEED", "6"))
SYMBOL = "AAAUSDT"
MINUTE = 60_000
EDGE = 1_706_745_600_000
"""2024-02-01T00:00Z: trades move across the edge of a month, and within one."""
MONTHS = ((EDGE - 31 * 86_400_000, EDGE), (EDGE, EDGE + 29 * 86_400_000))
TIMEFRAMES = (1, 3, 60)


def some_trade(chance: random.Random, number: int) -> Trade:
    price = str(100 + chance.randrange(50))
    time = EDGE + chance.randrange(-40 * MINUTE, 40 * MINUTE)
    return plain.trade(number, price=price, time=time, taker_sold=chance.random() < 0.5)


def store_somehow(chance: random.Random, store: Store, trades: Sequence[Trade]) -> None:
    """Store trades as a batch, or as the lines of an archive's files."""
    if chance.random() < 0.5:
        store.trades.insert({SYMBOL: trades})
        return
    for since, until in MONTHS:
        lines = [line_of(trade) for trade in trades if since <= trade.timestamp < until]
        if lines:
            store.trades.insert_lines(SYMBOL, "".join(lines).encode(), since, until)


def line_of(trade: Trade) -> str:
    sold = "True" if trade.is_buyer_maker else "False"
    return (
        f"{trade.aggregate_id},{text(trade.price)},{text(trade.quantity)},{trade.first_trade_id},"
        f"{trade.last_trade_id},{trade.timestamp},{sold},True\n"
    )


def settle(store: Store) -> None:
    store.candles.recompute(store.candles.unsettled({SYMBOL: EDGE + 60 * MINUTE}))


def test_a_trade_counts_at_the_time_that_it_was_given_last(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    dsn = f"chdb://{tmp_path}/db"
    store = Store(dsn)
    trades = {number: some_trade(chance, number) for number in range(200)}
    for timeframe in TIMEFRAMES[1:]:
        store.candles.materialize(SYMBOL, timeframe)
    store_somehow(chance, store, list(trades.values()))
    settle(store)
    for _ in range(ROUNDS):
        first = chance.randrange(200)
        moved = range(first, min(200, first + chance.choice((1, 1, 5, 60))))
        trades |= {number: some_trade(chance, number) for number in moved}
        store_somehow(chance, store, [trades[number] for number in moved])
        if chance.random() < 0.3:
            store.close()  # before the minutes are settled
            store = Store(dsn)
        settle(store)
        assert list(store.audit.run(repair=False)) == []
        for timeframe in TIMEFRAMES:
            before = EDGE + 60 * MINUTE
            candles = store.candles.read(SYMBOL, timeframe, before, 60)
            expected = plain.candles(trades.values(), timeframe, before, 60)
            assert [plain.of_candle(candle) for candle in candles] == expected
    store.close()
    print(f"{ROUNDS} rounds with seed {SEED}: every trade in one minute")
