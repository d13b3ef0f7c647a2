from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.core.candle import of_trades
from ingest.core.fixed import MAX_FIXED
from ingest.core.trade import MAX_NOTIONAL, MAX_RAW_TRADES, Trade
from ingest.storage import Store

from . import plain
from .plain import trade

MINUTE = 60_000
SPAN = 40 * MINUTE
NUMBER = itertools.count()


@st.composite
def histories(draw: st.DrawFn) -> list[Trade]:
    """Trades with ids in order of time more or less, some quiet minutes, some tombstones."""
    start = draw(st.integers(0, 2**41)) // MINUTE * MINUTE
    trades = []
    for aggregate_id in range(draw(st.integers(1, 40))):
        time = start + draw(st.integers(0, SPAN - 1))
        if draw(st.integers(0, 19)) == 0:
            trades.append(plain.tombstone(aggregate_id, time))
            continue
        price = draw(st.integers(1, MAX_FIXED))
        quantity = draw(st.integers(1, min(MAX_FIXED, MAX_NOTIONAL // price)))
        raw = draw(st.integers(0, 5))
        trades.append(
            Trade(aggregate_id, price, quantity, 7 * aggregate_id, 7 * aggregate_id + raw, time,
                  draw(st.booleans()))
        )  # fmt: skip
    return trades


def minutes(trades: Sequence[Trade]) -> list[tuple[int, int]]:
    """The minutes that these trades fall into."""
    starts = {t.timestamp // MINUTE * MINUTE for t in trades}
    return [(start, start + MINUTE) for start in starts]


def whole_minutes(trades: Sequence[Trade]) -> tuple[int, int]:
    times = [t.timestamp // MINUTE * MINUTE for t in trades]
    return min(times), max(times) + MINUTE


def check(store: Store, symbol: str, trades: Sequence[Trade], timeframe: int) -> None:
    _, end = whole_minutes(trades)
    for before in (end, end + 3 * timeframe * MINUTE):
        got = store.candles.read(symbol, timeframe, before, 60)
        assert [plain.of_candle(c) for c in got] == plain.candles(trades, timeframe, before, 60)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories(), st.integers(2, 60), st.integers(1, 3000), st.randoms(use_true_random=False))
def test_candles_equal_a_recomputation_in_whatever_order_trades_are_stored(
    fresh_store: Store, trades: list[Trade], kept: int, other: int, rng: random.Random
) -> None:
    symbol = f"S{next(NUMBER)}USDT"  # each example has a symbol of its own in the same store
    fresh_store.candles.materialize(symbol, kept)
    parts = [trades[:], rng.sample(trades, len(trades) // 2)]
    cut = rng.randint(0, len(trades))
    rng.shuffle(parts[0])
    for batch in (parts[0][:cut], parts[1], parts[0][cut:]):
        if batch:
            fresh_store.trades.insert({symbol: batch})
            fresh_store.candles.recompute({symbol: minutes(batch)})
    ids = fresh_store.trades.id_range(symbol)
    assert ids is not None
    assert ids.count == len(trades)
    for timeframe in (1, kept, other):
        check(fresh_store, symbol, trades, timeframe)
    fresh_store.candles.materialize(symbol, other)
    check(fresh_store, symbol, trades, other)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories(), st.integers(2, 20), st.randoms(use_true_random=False))
def test_a_view_has_each_bucket_that_ended_as_time_goes_on(
    fresh_store: Store, trades: list[Trade], timeframe: int, rng: random.Random
) -> None:
    symbol = f"S{next(NUMBER)}USDT"
    fresh_store.candles.materialize(symbol, timeframe)
    order = sorted(trades, key=lambda t: t.timestamp)
    while order:
        cut = rng.randint(1, len(order))
        minute = order[cut - 1].timestamp // MINUTE
        batch = [t for t in order if t.timestamp // MINUTE <= minute]
        order = order[len(batch) :]
        fresh_store.trades.insert({symbol: batch})
        fresh_store.candles.recompute({symbol: minutes(batch)})
        stored = [t for t in trades if t not in order]
        now = (minute + 1) * MINUTE
        expected = [
            (time, bucket)
            for time, bucket in plain.candles(stored, timeframe, now, SPAN // MINUTE)
            if bucket.aggregates
        ]
        rows = fresh_store.connection.rows(
            "SELECT candle_time, open, high, low, close, volume, quote_volume, trades_count,"
            " taker_buy_volume, taker_buy_quote_volume, volume - taker_buy_volume,"
            " (first_raw_id, last_raw_id), aggregates"
            f" FROM ohlcv_{timeframe}_{symbol.lower()}_mv ORDER BY candle_time"
        )
        assert [(row[0], plain.Bucket(*row[1:])) for row in rows] == expected


def test_many_spans_in_one_bucket_count_each_minute_once(fresh_store: Store) -> None:
    trades = [trade(n, time=n * 30_000) for n in range(60)]
    fresh_store.candles.materialize("BTCUSDT", 15)
    fresh_store.trades.insert({"BTCUSDT": trades})
    fresh_store.candles.recompute({"BTCUSDT": [(0, 30 * MINUTE)]})
    spans = [(n * 2 * MINUTE, (n * 2 + 1) * MINUTE) for n in range(12)]
    for some in (spans[:2], spans):
        fresh_store.candles.recompute({"BTCUSDT": some})
        check(fresh_store, "BTCUSDT", trades, 15)


def test_spans_are_whole_minutes(fresh_store: Store) -> None:
    with pytest.raises(ValueError, match="whole minutes"):
        fresh_store.candles.recompute({"BTCUSDT": [(0, 1000)]})


def test_a_pair_outlives_the_process_and_goes_when_it_is_dropped(dsn: str) -> None:
    trades = [trade(n, time=n * 20_000, price=str(100 + n % 7)) for n in range(100)]
    with Store(dsn) as store:
        store.candles.materialize("BTCUSDT", 7)
        store.trades.insert({"BTCUSDT": trades})
        store.candles.recompute({"BTCUSDT": [whole_minutes(trades)]})
    with Store(dsn) as store:
        assert store.candles.pairs == {("BTCUSDT", 7)}
        [view] = store.candles.views("BTCUSDT")
        assert (view.name, view.timeframe_minutes, view.total_rows) == ("ohlcv_7_btcusdt_mv", 7, 4)
        assert view.total_bytes > 0
        check(store, "BTCUSDT", trades, 7)
        store.candles.drop("BTCUSDT", 7)
        assert store.candles.views("BTCUSDT") == []
        check(store, "BTCUSDT", trades, 7)
    with Store(dsn) as store:
        assert store.candles.pairs == frozenset()
        assert store.candles.dropped == {("BTCUSDT", 7)}
        store.candles.delete_dropped([("BTCUSDT", 7)])
        assert store.candles.dropped == frozenset()
        assert store.connection.rows("SELECT count() FROM candles") == [(0,)]
        check(store, "BTCUSDT", trades, 7)


def test_a_pair_that_is_kept_again_has_its_rows_again(fresh_store: Store) -> None:
    trades = [trade(n, time=n * 20_000) for n in range(100)]
    candles = fresh_store.candles
    candles.materialize("BTCUSDT", 7)
    candles.materialize("BTCUSDT", 9)
    fresh_store.trades.insert({"BTCUSDT": trades})
    candles.recompute({"BTCUSDT": [whole_minutes(trades)]})
    for timeframe in (7, 9):
        candles.drop("BTCUSDT", timeframe)
    candles.delete_dropped([("BTCUSDT", 7)])
    candles.materialize("BTCUSDT", 7)
    candles.delete_dropped([("BTCUSDT", 7), ("BTCUSDT", 9)])
    kept = fresh_store.connection.rows("SELECT DISTINCT timeframe FROM candles FINAL")
    assert kept == [(7,)]
    check(fresh_store, "BTCUSDT", trades, 7)
    check(fresh_store, "BTCUSDT", trades, 9)


def test_the_open_part_is_the_closed_minutes_of_the_bucket(fresh_store: Store) -> None:
    trades = [trade(n, time=n * 30_000) for n in range(20)]
    fresh_store.trades.insert({"BTCUSDT": trades})
    fresh_store.candles.recompute({"BTCUSDT": [(0, 8 * MINUTE)]})
    part = fresh_store.candles.open_part("BTCUSDT", 5, 5 * MINUTE, 7 * MINUTE)
    assert part is not None
    assert (part.candle_time, part.first_id, part.last_id) == (5 * MINUTE, 10, 13)
    assert fresh_store.candles.open_part("BTCUSDT", 5, 10 * MINUTE, 11 * MINUTE) is None
    assert fresh_store.candles.previous_close("BTCUSDT", 1, 10 * MINUTE) == 100 * 10**8
    assert fresh_store.candles.previous_close("BTCUSDT", 1, 0) is None


def test_totals_are_those_of_the_minutes_from_each_symbols_own_time_on(fresh_store: Store) -> None:
    symbols = {f"S{n}USDT": [trade(i, time=i * 7_000 + n) for i in range(60 + n)] for n in range(4)}
    since = {symbol: n * MINUTE for n, symbol in enumerate(symbols)}
    fresh_store.trades.insert(symbols)
    fresh_store.candles.recompute({symbol: [(0, 5 * MINUTE)] for symbol in symbols})
    for _ in range(2):  # a recomputation again changes nothing
        fresh_store.candles.recompute({symbol: [(MINUTE, 3 * MINUTE)] for symbol in symbols})
    expected = {
        symbol: of_trades(
            [t for t in trades if since[symbol] <= t.timestamp < 5 * MINUTE], since[symbol]
        )
        for symbol, trades in symbols.items()
    }
    assert fresh_store.candles.totals({**since, "NONEUSDT": 0}) == expected
    assert fresh_store.candles.totals({"S0USDT": 5 * MINUTE}) == {}
    assert fresh_store.candles.totals({}) == {}


def test_a_quiet_bucket_continues_the_close_of_its_own_timeframe(fresh_store: Store) -> None:
    """The highest id of the last bucket need not lie in its last minute."""
    trades = [
        trade(1, price="10", time=0),
        trade(2, price="20", time=MINUTE),
        trade(3, price="30", time=MINUTE - 1),
    ]
    fresh_store.trades.insert({"BTCUSDT": trades})
    fresh_store.candles.recompute({"BTCUSDT": [(0, 8 * MINUTE)]})
    candles = fresh_store.candles
    assert candles.bases("BTCUSDT", [1], 4 * MINUTE) == {1: (None, 20 * 10**8)}
    assert candles.bases("BTCUSDT", [2], 4 * MINUTE) == {2: (None, 30 * 10**8)}
    for timeframe, close in ((1, 20), (2, 30)):
        [flat] = candles.read("BTCUSDT", timeframe, 8 * MINUTE, 1)
        assert (flat.close, flat.trades_count) == (close * 10**8, 0)


def test_no_quiet_bucket_continues_one_that_lacks_trades(fresh_store: Store) -> None:
    """A late trade may lie in a minute of which the history has nothing else."""
    trades = [trade(1, price="10", time=MINUTE), trade(2, price="20", time=7 * MINUTE)]
    fresh_store.trades.insert({"BTCUSDT": trades})
    fresh_store.candles.recompute({"BTCUSDT": [(0, 10 * MINUTE)]})
    candles, whole_from_ms = fresh_store.candles, MINUTE + 1
    for timeframe, first in ((1, 7), (2, 6)):
        found = candles.read("BTCUSDT", timeframe, 10 * MINUTE, 10, whole_from_ms)
        assert [c.candle_time for c in found] == list(
            range(first * MINUTE, 10 * MINUTE, timeframe * MINUTE)
        )
        until = first * MINUTE
        assert candles.read("BTCUSDT", timeframe, until, 2, whole_from_ms) == []
        assert candles.bases("BTCUSDT", [timeframe], until, whole_from_ms) == {
            timeframe: (None, None)
        }
        assert candles.previous_close("BTCUSDT", timeframe, until, MINUTE // 2) == (
            10 * 10**8 if timeframe == 1 else None
        )
    assert candles.first_minute("BTCUSDT", 2 * MINUTE) == 7 * MINUTE


def test_sums_of_the_largest_trades_are_exact(fresh_store: Store) -> None:
    price, quantity = 10**10 * 10**8, 10**3 * 10**8
    assert price * quantity == MAX_NOTIONAL
    count = 20_000
    trades = [
        Trade(n, price, quantity, n * MAX_RAW_TRADES, (n + 1) * MAX_RAW_TRADES - 1, n, False)
        for n in range(count)
    ]
    fresh_store.trades.insert({"BTCUSDT": trades})
    fresh_store.candles.recompute({"BTCUSDT": [(0, MINUTE)]})
    [candle] = fresh_store.candles.read("BTCUSDT", 1, MINUTE, 1)
    assert candle.quote_volume == candle.taker_buy_quote_volume == count * MAX_NOTIONAL
    assert candle.trades_count == count * MAX_RAW_TRADES


def test_the_bytes_of_a_view_are_those_before_compression(tmp_path: Path) -> None:
    trades = [trade(n, time=n * MINUTE, price=str(100 + n % 7)) for n in range(2000)]
    with Store(f"chdb:///{tmp_path}/db") as store:
        store.trades.insert({"BTCUSDT": trades})
        store.candles.materialize("BTCUSDT", 2)
        store.candles.recompute({"BTCUSDT": [(0, 2000 * MINUTE)]})
        [[uncompressed]] = store.connection.rows(
            "SELECT sum(data_uncompressed_bytes) FROM system.parts"
            " WHERE active AND table = 'candles'"
        )
        [view] = store.candles.views("BTCUSDT")
    assert view.total_rows == 1000
    assert abs(view.total_bytes - uncompressed) < uncompressed / 10
