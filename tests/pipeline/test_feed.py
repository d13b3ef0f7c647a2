"""The data that a feed accepts, doubts, and keeps until it is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generated.native.facts import DataQuality
from ingest.binance.clock import ExchangeClock
from ingest.binance.rest import BinanceRest, Edge
from ingest.binance.weight import WeightCoordinator
from ingest.core.continuity import Continuity, Gap
from ingest.core.cursor import Cursor
from ingest.core.errors import StoreUnavailable
from ingest.core.live import Frame
from ingest.core.trade import Trade
from ingest.pipeline import feed as feed_module
from ingest.pipeline import retry as retrying
from ingest.pipeline.feed import MAX_JUMP, Feed
from ingest.pipeline.hot import Hot
from ingest.pipeline.impossible import has_impossible_ids
from ingest.pipeline.malformed import MalformedMessages
from ingest.pipeline.materialize import Materializer
from ingest.pipeline.pair import Pair
from ingest.pipeline.retry import Retry
from ingest.pipeline.settle import Settler
from ingest.pipeline.watches import Watches
from ingest.storage import AsyncStore, Store
from tests.factories import naive_candles, row, trade
from tests.running import until

SYMBOL = "AAAUSDT"
NOW_MS = 600_000


@pytest.fixture
def feed() -> Feed:
    """An open one, joined, that has its first three trades."""
    feed = Feed(SYMBOL)
    feed.open(Continuity(1), NOW_MS - NOW_MS % 60_000, 0)
    feed.joined(NOW_MS)
    feed.accept(trades(1, 3), NOW_MS)
    return feed


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"chdb:///{tmp_path}/db") as store:
        yield store


def trades(first: int, last: int) -> list[Trade]:
    return [trade(n, timestamp=NOW_MS + n) for n in range(first, last + 1)]


async def still_clock() -> ExchangeClock:
    """A clock that stands at NOW_MS."""

    async def server_time() -> int:
        return NOW_MS

    clock = ExchangeClock(server_time, monotonic=lambda: 0.0)
    await clock.synchronize()
    return clock


async def settler_of(store: Store, feed: Feed, retry: Retry | None = None) -> Settler:
    """The writer that moves the trades of one feed to the store."""
    retry = retry or Retry(AsyncStore(store))
    malformed = MalformedMessages(retry)
    hot = Hot(retry.store)
    return Settler(retry, malformed, await still_clock(), {SYMBOL: feed}, lambda _: None, hot)


def test_a_streamed_trade_shows_that_nothing_is_missing_before_it(feed: Feed) -> None:
    feed.doubt(None, NOW_MS)
    assert not feed.complete()
    feed.accept(trades(4, 4), NOW_MS)
    assert feed.complete()


def test_a_late_trade_settles_no_doubt(feed: Feed) -> None:
    """Trade 6 was unreadable when 4 and 5 came, out of order or again."""
    feed.doubt(None, NOW_MS + 6)
    feed.accept(trades(4, 5), NOW_MS)
    assert not feed.complete()
    feed.accept(trades(7, 7), NOW_MS)
    assert feed.continuity is not None
    assert feed.continuity.gaps == [Gap(6, 6)]
    assert feed.state.is_verified


def test_an_answer_that_is_older_than_a_doubt_settles_nothing(feed: Feed) -> None:
    asked = feed.asking(NOW_MS)
    newest = Edge(3, trades(3, 3)[0])
    feed.doubt(None, NOW_MS)
    feed.verify(None, newest, asked, NOW_MS)
    assert not feed.complete()
    feed.verify(None, newest, feed.asking(NOW_MS), NOW_MS)
    assert feed.complete()


def test_an_answer_with_another_trade_of_a_known_id_settles_nothing(feed: Feed) -> None:
    """Its id is too low: the trades after the newest one that is here are missing."""
    feed.doubt(None, NOW_MS)
    another = trade(3, timestamp=NOW_MS + 9)
    feed.verify(None, Edge(3, another), feed.asking(NOW_MS), NOW_MS)
    assert not feed.complete()
    feed.verify(None, Edge(3, trades(3, 3)[0]), feed.asking(NOW_MS), NOW_MS)
    assert feed.complete()


def test_trades_without_room_leave_a_gap(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    assert feed.complete()
    monkeypatch.setattr(feed_module, "MAX_PENDING_TRADES", 5)
    feed.accept(trades(4, 9), NOW_MS)
    assert feed.continuity is not None
    assert list(feed.continuity.gaps) == [Gap(4, 9)]
    assert feed.status.quality is DataQuality.PARTIAL
    assert feed.gap_opened.is_set()


def test_an_absent_id_that_turns_out_unreadable_is_missing_at_once(feed: Feed) -> None:
    feed.accept(trades(5, 5), NOW_MS)
    assert feed.continuity is not None
    feed.continuity.confirm(Gap(4, 4))
    assert feed.complete()
    feed.note_unreadable([Gap(4, 4)], 0.0, NOW_MS)
    assert feed.status.quality is DataQuality.PARTIAL


def test_one_wrong_id_does_not_hide_the_trades_after_it(feed: Feed) -> None:
    wild = trade(3 + MAX_JUMP + 1, timestamp=NOW_MS)
    feed.accept([wild], NOW_MS)
    assert not feed.state.is_verified
    feed.accept([trade(4 + 2_000, timestamp=NOW_MS + 900)], NOW_MS)
    assert feed.continuity is not None
    assert feed.continuity.high_water == 3
    feed.accept(trades(5, 5), NOW_MS)
    assert (feed.continuity.high_water, list(feed.continuity.gaps)) == (5, [Gap(4, 4)])


steps = st.lists(
    st.tuples(
        st.sampled_from([1, 1, 1, 1, 1, 0, -1, -3, 2, 4]),  # of the id
        st.sampled_from([1, 20, 20_000]),  # of the time, in milliseconds
        st.integers(1, 5),  # of the size of the batch
    ),
    max_size=40,
)


@given(steps)
def test_trades_taken_together_come_to_the_same_as_one_by_one(
    steps: list[tuple[int, int, int]],
) -> None:
    """Repeats, jumps and late ones included; the run of a minute's end too."""
    run: list[Trade] = []
    sizes, id_ = [], 0
    for step, later_ms, size in steps:
        id_ = max(1, id_ + step)
        before_ms = run[-1].timestamp if run else NOW_MS
        run.append(trade(id_, price=str(100 + id_ % 7), timestamp=before_ms + later_ms))
        sizes.append(size)
    together, singly = Feed(SYMBOL), Feed(SYMBOL)
    for feed in (together, singly):
        feed.open(Continuity(1), NOW_MS - NOW_MS % 60_000, 0)
        feed.joined(NOW_MS)
    heard: list[Trade] = []
    together.listeners.append(lambda _, some: heard.extend(some))
    for item in run:
        singly.accept([item], NOW_MS + 3_600_000)
    rest = run
    for size in sizes:
        together.accept(rest[:size], NOW_MS + 3_600_000)
        rest = rest[size:]
    assert heard == together.take()[0] == singly.take()[0]
    assert together.live.minutes == singly.live.minutes
    assert together.counters == singly.counters
    assert together.last_trade == singly.last_trade
    assert together.state.is_verified == singly.state.is_verified
    assert together.continuity is not None
    assert singly.continuity is not None
    assert together.continuity.missing == singly.continuity.missing


def test_ids_may_be_as_far_ahead_as_the_time_allows(feed: Feed) -> None:
    run = [trade(4 + n * 900, timestamp=NOW_MS + 4) for n in range(20)]
    assert feed.accept(run, NOW_MS) == 20
    after_an_hour = trade(4 + 600_000, timestamp=NOW_MS + 3_600_000)
    assert feed.accept([after_an_hour], NOW_MS + 3_600_000) == 1


def test_the_first_trade_of_a_symbol_waits_until_the_first_id_is_known() -> None:
    feed = Feed(SYMBOL)
    feed.open(None, NOW_MS, 0)
    feed.joined(NOW_MS)
    feed.verify(None, None, feed.asking(NOW_MS), NOW_MS)
    assert feed.complete()
    feed.accept(trades(3, 3), NOW_MS)
    assert feed.status.quality is DataQuality.PARTIAL
    feed.verify(1, Edge(3, trades(3, 3)[0]), feed.asking(NOW_MS), NOW_MS)
    assert feed.continuity is not None
    assert list(feed.continuity.gaps) == [Gap(1, 3)]


async def test_what_was_taken_is_stored_at_the_end_though_the_cycle_was_cut_short(
    feed: Feed, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    retry = Retry(AsyncStore(store))
    settler = await settler_of(store, feed, retry)
    away = True

    def insert(batch: dict[str, list[Trade]]) -> int:
        if away:
            raise StoreUnavailable("away")
        return type(store.trades).insert(store.trades, batch)

    monkeypatch.setattr(store.trades, "insert", insert)
    cycle = asyncio.create_task(settler.cycle())
    await until(lambda: retry.failing_since_ms is not None)
    cycle.cancel()
    await asyncio.wait({cycle})
    away = False
    await settler.store_rest()
    assert store.trades.since(SYMBOL, 0) == trades(1, 3)


async def test_a_fault_of_the_store_is_outlived(
    feed: Feed, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrying, "FIRST_PAUSE_SECONDS", 0.0)
    retry = Retry(AsyncStore(store))
    settler = await settler_of(store, feed, retry)
    faults = [ValueError("a fault of ours"), StoreUnavailable("away")]

    def insert(batch: dict[str, list[Trade]]) -> int:
        if faults:
            raise faults.pop()
        return type(store.trades).insert(store.trades, batch)

    monkeypatch.setattr(store.trades, "insert", insert)
    await settler.cycle()
    assert store.trades.since(SYMBOL, 0) == trades(1, 3)
    assert retry.failing_since_ms is None


async def test_a_store_that_is_away_does_not_end_the_search_for_impossible_ids(
    feed: Feed, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrying, "FIRST_PAUSE_SECONDS", 0.0)
    settler = await settler_of(store, feed)
    await settler.cycle()
    time_of, faults = store.trades.time_of, [StoreUnavailable("away")]

    def failing(symbol: str, aggregate_id: int) -> int | None:
        if faults:
            raise faults.pop()
        return time_of(symbol, aggregate_id)

    monkeypatch.setattr(store.trades, "time_of", failing)
    async with BinanceRest("http://127.0.0.1:1", WeightCoordinator()) as rest:
        assert not await has_impossible_ids(SYMBOL, Gap(4, 9), Retry(AsyncStore(store)), rest)
    assert not faults


async def test_a_frame_that_was_watched_early_starts_from_the_store(store: Store) -> None:
    """History comes in for a bucket that a frame has held since before the symbol was opened."""
    feed = Feed(SYMBOL)
    cursors = {1: Cursor(), 7: Cursor()}
    for timeframe, cursor in cursors.items():
        frame = Frame(timeframe)
        frame.cursors.append(cursor)
        feed.live.watch(frame)
    continuity = Continuity(1)
    continuity.reach(5)
    feed.open(continuity, NOW_MS, 0)
    feed.joined(NOW_MS)
    run = [trade(n, timestamp=NOW_MS - 200_000 + n * 40_000) for n in range(1, 9)]
    settler = await settler_of(store, feed)
    feed.accept(run[5:], NOW_MS + 200_000)
    feed.live.newest_ms = NOW_MS + 120_000
    feed.live.advance(NOW_MS + 120_000)
    feed.accept(run[:5], NOW_MS + 200_000, refetched=True)
    await settler.cycle()
    assert feed.status.quality is DataQuality.COMPLETE
    for timeframe, cursor in cursors.items():
        candles = cursor.take(feed.live.walk(timeframe, NOW_MS + 120_000))
        rows = naive_candles(run, timeframe, NOW_MS + 120_000)
        assert [row(candle) for candle in candles if row(candle) not in rows] == []


def test_a_feed_that_is_opened_anew_corrects_the_candles_that_were_open(feed: Feed) -> None:
    """Their minutes are the store's by then, with trades that no consumer was given."""
    frame, cursor = Frame(7), Cursor()
    frame.cursors.append(cursor)
    feed.live.watch(frame)
    frame.rebase(feed.live.watermark, None, None)
    (given,) = cursor.take(feed.live.walk(7, NOW_MS))
    for minutes in (30, 60):  # the second time nothing has been published since
        feed.close()
        feed.open(Continuity(1, 3), NOW_MS + minutes * 60_000, 0)
    assert feed.state.take_late() == given.candle_time


async def test_a_pair_that_is_given_up_while_it_is_prepared_is_let_go(
    feed: Feed, store: Store
) -> None:
    settler = await settler_of(store, feed)
    retry = Retry(AsyncStore(store))
    lock, materializer = settler.watermark_lock, Materializer(retry)
    watches = Watches(retry, lock, await still_clock(), materializer)
    pair = Pair(SYMBOL, 7)
    async with settler.watermark_lock:
        follower = watches.add(feed, pair, Cursor())
        ready = asyncio.create_task(follower.ready())
        await asyncio.sleep(0.2)
        assert not follower.is_ready
        follower.close()
    await ready
    assert feed.live.frames == {}
    follower = watches.add(feed, pair, Cursor())
    await follower.ready()
    assert follower.is_ready
    assert list(feed.live.frames) == [7]
