from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from ingest.core.timeframe import bucket_start
from ingest.core.trade import Trade
from ingest.storage import Store
from ingest.storage.buckets import Buckets
from ingest.storage.schema import VERSION
from ingest.storage.timeframes import LEVELS

from . import plain
from .plain import trade

MINUTE = 60_000
SYMBOL = "BTCUSDT"
DAYS = 4
END = DAYS * 1440 * MINUTE
WIDE = (60, 2850, 1440, 2880, 65, 77)
"""Of each level, of several, and of none."""

TRADES = [trade(n, time=n * 401_000 % END, price=str(100 + n % 7)) for n in range(1500)]


def stored(store: Store, trades: Sequence[Trade] = TRADES) -> None:
    """Store trades, and the minutes and candles that they come to."""
    store.trades.insert({SYMBOL: trades})
    store.candles.recompute(store.candles.unsettled({SYMBOL: END}))


def check(store: Store, trades: Sequence[Trade] = TRADES) -> None:
    """Hold wide candles and all that is kept against the trades."""
    for timeframe in WIDE:
        got = store.candles.read(SYMBOL, timeframe, END, 200)
        assert [plain.of_candle(c) for c in got] == plain.candles(trades, timeframe, END, 200)
    assert list(store.audit.run(repair=False)) == []


def origin_of(store: Store, timeframe: int) -> object:
    """The timeframe whose rows the buckets of another are read from."""
    width = timeframe * MINUTE
    _, parameters = store.candles.source(SYMBOL, timeframe, 0, END // width * width)
    return parameters["timeframe"]


def rows(store: Store) -> list[tuple[int, int]]:
    """How many rows each timeframe has in `candles`."""
    return [
        (timeframe, count)
        for timeframe, count in store.connection.rows(
            "SELECT timeframe, count() FROM candles FINAL GROUP BY timeframe ORDER BY timeframe"
        )
    ]


def test_wide_buckets_are_read_from_the_widest_rows_that_they_are_made_of(
    fresh_store: Store,
) -> None:
    stored(fresh_store, TRADES[:900])
    fresh_store.candles.add_levels(1)
    assert list(fresh_store.candles.written(SYMBOL)) == list(LEVELS)
    origins = [origin_of(fresh_store, timeframe) for timeframe in WIDE]
    assert origins == [30, 30, 1440, 1440, 5, 1]
    check(fresh_store, TRADES[:900])
    stored(fresh_store, TRADES[900:])  # late, and in buckets that are written already
    check(fresh_store)
    fresh_store.candles.materialize(SYMBOL, 120)
    assert origin_of(fresh_store, 240) == 120
    check(fresh_store)


def test_levels_are_filled_of_what_an_earlier_version_has_stored(dsn: str) -> None:
    with Store(dsn) as store:
        stored(store)
        store.connection.command("DROP TABLE levels")
        store.connection.command("TRUNCATE TABLE schema_version")
        store.connection.command("INSERT INTO schema_version (version) SELECT 1")
    with Store(dsn) as store:
        [[version]] = store.connection.rows("SELECT max(version) FROM schema_version")
        assert version == VERSION
        assert origin_of(store, 60) == 1
        store.candles.add_levels(1)
        check(store)
        assert origin_of(store, 60) == 30
        written = rows(store)
    with Store(dsn) as store:
        store.candles.add_levels(1)
        assert rows(store) == written
        assert origin_of(store, 60) == 30


def test_a_fill_that_was_cut_short_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trades that are removed meanwhile leave no bucket that has too many."""
    dsn = f"chdb://{tmp_path}/db"
    fill = Buckets.fill

    def cut(self: Buckets, symbol: str, timeframe: int, *rest: object) -> None:
        fill(self, symbol, timeframe, *rest)  # type: ignore[arg-type]
        if timeframe == LEVELS[1]:
            raise KeyboardInterrupt

    last = TRADES[-1].aggregate_id
    with Store(dsn) as store:
        stored(store)
        monkeypatch.setattr(Buckets, "fill", cut)
        with pytest.raises(KeyboardInterrupt):
            store.candles.add_levels(1)
        monkeypatch.undo()
        assert list(store.candles.written(SYMBOL)) == [LEVELS[0]]
        check(store)
        store.trades.remove_from(SYMBOL, last - 4)
    with Store(dsn) as store:
        store.candles.recompute(store.candles.unsettled({SYMBOL: END}))
        store.candles.add_levels(1)
        assert list(store.candles.written(SYMBOL)) == list(LEVELS)
        check(store, TRADES[:-5])


def test_a_level_that_is_used_and_dropped_keeps_its_rows(fresh_store: Store) -> None:
    candles = fresh_store.candles
    stored(fresh_store)
    candles.materialize(SYMBOL, 30)
    candles.materialize(SYMBOL, 5)
    candles.drop(SYMBOL, 5)
    candles.add_levels(1)  # the rows of 5 are still to be deleted
    assert list(candles.written(SYMBOL)) == [30, 1440]
    candles.delete_dropped(candles.dropped)
    candles.add_levels(1)
    before = rows(fresh_store)
    assert [timeframe for timeframe, _ in before] == [5, 30, 1440]
    assert [view.timeframe_minutes for view in candles.views(SYMBOL)] == [30]
    candles.drop(SYMBOL, 30)
    assert candles.dropped == frozenset()
    candles.delete_dropped([(SYMBOL, 30)])
    assert rows(fresh_store) == before
    assert candles.views(SYMBOL) == []
    check(fresh_store)
    candles.materialize(SYMBOL, 30)
    assert [view.total_rows for view in candles.views(SYMBOL)] == [dict(before)[30]]


def test_levels_expire_with_their_minutes(fresh_store: Store) -> None:
    stored(fresh_store)
    fresh_store.candles.add_levels(1)
    line = 2 * 1440 * MINUTE
    fresh_store.retention.expire(SYMBOL, 0, line, 0, 0)
    for timeframe in WIDE:
        width = timeframe * MINUTE
        first = -(-line // width) * width
        got = fresh_store.candles.read(SYMBOL, timeframe, END, 200)
        assert [c.candle_time for c in got] == list(
            range(first, bucket_start(END, timeframe), width)
        )
        expected = [row for row in plain.candles(TRADES, timeframe, END, 200) if row[0] >= first]
        assert [plain.of_candle(c) for c in got] == expected
    assert list(fresh_store.audit.run(repair=False)) == []


def test_the_audit_finds_and_mends_a_wrong_level(fresh_store: Store) -> None:
    stored(fresh_store)
    fresh_store.candles.add_levels(1)
    fresh_store.connection.command(
        "INSERT INTO candles SELECT * REPLACE (high + 1 AS high, aggregates + 1 AS aggregates)"
        " FROM candles FINAL WHERE timeframe = 30 AND candle_time = 0"
    )
    wrong = [str(difference) for difference in fresh_store.audit.run(repair=True)]
    assert wrong
    assert all(text.startswith("BTCUSDT 30m 0: ") for text in wrong)
    check(fresh_store)
