"""Expired data is not shown, and the rest stays as it was."""

from __future__ import annotations

import time

import pytest

from handlers.native.forms import CANDLES, TRADES
from ingest.core.candle import Candle
from ingest.core.rows import Rows
from ingest.core.timeframe import MINUTE_MS
from ingest.core.trade import Trade
from ingest.storage import Selection, Store
from ingest.storage.retention import Line

from .plain import trade

SYMBOL, OTHER = "BTCUSDT", "ETHUSDT"
HOUR = 60 * MINUTE_MS
TRADES_SINCE, CANDLES_SINCE = 5 * HOUR, 2 * HOUR
END = 8 * HOUR
TIMEFRAMES = (1, 7, 50, 173)
DELETED_SECONDS = 20.0


def history() -> list[Trade]:
    """A trade every 20 s; ids and times differ in order around the line."""
    trades = [trade(n, price=str(100 + n % 13), time=n * 20_000) for n in range(END // 20_000)]
    at = TRADES_SINCE // 20_000
    early = trade(at + 1, price="7", time=TRADES_SINCE - 1)
    trades[at + 1] = early
    return trades


@pytest.fixture
def old_store(fresh_store: Store) -> Store:
    """A store with hours of two symbols."""
    fresh_store.candles.materialize(SYMBOL, 7)
    fresh_store.trades.insert({SYMBOL: history(), OTHER: history()})
    fresh_store.candles.recompute({symbol: [(0, END)] for symbol in (SYMBOL, OTHER)})
    return fresh_store


def shown(store: Store, timeframe: int) -> list[Candle]:
    return store.candles.read(SYMBOL, timeframe, END, 1000)


def whole(candles: list[Candle]) -> list[Candle]:
    """Those that begin no earlier than candles are kept."""
    return [candle for candle in candles if candle.candle_time >= CANDLES_SINCE]


def ids(rows: Rows) -> list[int]:
    return list(rows.keys)


def until_deleted(store: Store) -> None:
    """Wait until the engine has deleted what expired."""
    layout = store.connection.layout
    until = time.monotonic() + DELETED_SECONDS
    while store.connection.rows(
        f"SELECT 1 FROM {layout.system('mutations')}"
        " WHERE database = currentDatabase() AND NOT is_done"
    ):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_what_expired_is_neither_shown_nor_kept(old_store: Store) -> None:
    before = {timeframe: shown(old_store, timeframe) for timeframe in TIMEFRAMES}
    first_id = TRADES_SINCE // 20_000
    assert old_store.retention.expire(SYMBOL, TRADES_SINCE, CANDLES_SINCE, 0, 0)
    for _ in range(2):
        page = old_store.trades.page(Selection(SYMBOL), 10, TRADES)
        assert ids(page)[:2] == [first_id, first_id + 1], "ids are kept without a hole"
        newest = old_store.trades.latest(SYMBOL, 10_000, TRADES)
        assert ids(newest)[0] == first_id
        held = old_store.trades.id_range(SYMBOL)
        assert held is not None
        assert (held.first, held.holes) == (first_id, [])
        assert old_store.trades.id_ranges()[SYMBOL] == held
        for timeframe in TIMEFRAMES:
            assert shown(old_store, timeframe) == whole(before[timeframe])
            assert shown(old_store, timeframe)
        assert old_store.candles.first_minute(SYMBOL) == CANDLES_SINCE
        until_deleted(old_store)
    for table, column, least in (
        ("trades", "aggregate_id", first_id),
        ("minutes", "candle_time", CANDLES_SINCE),
        ("candles", "candle_time", 7 * MINUTE_MS * -(-CANDLES_SINCE // (7 * MINUTE_MS))),
    ):
        [[stored]] = old_store.connection.rows(
            f"SELECT min({column}) FROM {table} WHERE symbol = '{SYMBOL}'"
        )
        assert stored == least
    assert old_store.trades.id_range(OTHER) is not None
    assert len(old_store.candles.read(OTHER, 1, END, 1000)) == END // MINUTE_MS


@pytest.mark.parametrize("as_lines", [False, True])
@pytest.mark.parametrize("has_expired", [False, True])
def test_trades_that_are_backfilled_later_are_kept(
    fresh_store: Store, has_expired: bool, as_lines: bool
) -> None:
    """They have lower ids than any that was here when the older ones expired."""
    store, whole = fresh_store, history()
    kept = [each for each in whole if each.timestamp >= TRADES_SINCE + HOUR]
    expired = [each for each in whole if each.timestamp < HOUR] if has_expired else []
    store.trades.insert({SYMBOL: [*expired, *kept]})
    first_id = expired[-1].aggregate_id + 1 if expired else kept[0].aggregate_id
    assert store.retention.expire(SYMBOL, TRADES_SINCE, CANDLES_SINCE, 0, kept[0].aggregate_id)
    assert store.retention.line(SYMBOL).first_id == first_id
    later = [each for each in whole if TRADES_SINCE <= each.timestamp < TRADES_SINCE + HOUR]
    if as_lines:
        text = "".join(f"{t.aggregate_id},7,1,1,1,{t.timestamp},True,True\n" for t in later)
        store.trades.insert_lines(SYMBOL, text.encode(), TRADES_SINCE, TRADES_SINCE + HOUR)
    else:
        store.trades.insert({SYMBOL: [trade(1, price="7", time=0), *later]})
    page = store.trades.page(Selection(SYMBOL), 1, TRADES)
    assert ids(page) == [later[0].aggregate_id]
    held = store.trades.id_range(SYMBOL)
    assert held is not None
    assert held.first == min(first_id, later[0].aggregate_id)


@pytest.mark.parametrize("lost", [(0, 900), (500, 1100), (900, 960)])
def test_trades_that_were_just_lost_are_kept(fresh_store: Store, lost: tuple[int, int]) -> None:
    """A line that is drawn before their loss is noticed leaves them missing."""
    first_id = TRADES_SINCE // 20_000
    whole = [each for each in history() if not lost[0] <= each.aggregate_id < lost[1]]
    fresh_store.trades.insert({SYMBOL: whole})
    assert fresh_store.retention.expire(SYMBOL, TRADES_SINCE, CANDLES_SINCE, 0, 0)
    line = fresh_store.retention.line(SYMBOL)
    assert line.first_id == (first_id if lost[0] > first_id - 1 else lost[0])


def test_minutes_outlive_their_trades_whatever_is_recomputed(old_store: Store) -> None:
    before = {timeframe: whole(shown(old_store, timeframe)) for timeframe in TIMEFRAMES}
    old_store.retention.expire(SYMBOL, TRADES_SINCE, CANDLES_SINCE, 0, 0)
    until_deleted(old_store)
    late = trade(3, price="1", time=3 * HOUR)
    old_store.trades.insert({SYMBOL: [late]})
    old_store.candles.recompute({SYMBOL: [(0, END)]})
    old_store.candles.drop(SYMBOL, 7)
    old_store.candles.materialize(SYMBOL, 7)
    for timeframe in TIMEFRAMES:
        assert shown(old_store, timeframe) == before[timeframe]
    assert list(old_store.audit.run(repair=True)) == []
    for timeframe in TIMEFRAMES:
        assert shown(old_store, timeframe) == before[timeframe]


def test_a_timeframe_longer_than_what_is_kept_has_no_candles(old_store: Store) -> None:
    old_store.retention.expire(SYMBOL, TRADES_SINCE, CANDLES_SINCE, 0, 0)
    assert shown(old_store, 3 * 60) != []
    assert old_store.candles.read(SYMBOL, 5 * 60, END, 10) == []
    for start in (0, 7 * HOUR):
        assert old_store.pages.candle_rows(SYMBOL, 420, start, 7 * HOUR, CANDLES) == Rows()


def test_a_line_only_rises_and_outlives_the_process(dsn: str) -> None:
    with Store(dsn) as store:
        store.trades.insert({SYMBOL: history()})
        assert store.retention.expire(SYMBOL, TRADES_SINCE, CANDLES_SINCE, 17, 0)
        assert not store.retention.expire(SYMBOL, TRADES_SINCE - HOUR, 0, 99, 0)
        assert not store.retention.expire(OTHER, TRADES_SINCE, 0, 0, 0), "it has no newer trade"
    with Store(dsn) as store:
        expected = Line(TRADES_SINCE // 20_000, TRADES_SINCE, CANDLES_SINCE, 17)
        assert store.retention.lines == {SYMBOL: expected}
