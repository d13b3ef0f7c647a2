"""Live candles equal the textbook's, whatever the order of trades and the pace of the store."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.core.candle import Candle, flat, merged, of_trade
from ingest.core.cursor import Cursor
from ingest.core.live import Frame, LiveCandles
from ingest.core.timeframe import MINUTE_MS, bucket_start
from ingest.core.trade import Trade
from tests.factories import Row, naive_candles, row, trade, trade_runs

TIMEFRAMES = (1, 3, 7, 15)


def follow(live: LiveCandles, timeframe: int, *, repeats_open: bool = True) -> Cursor:
    """A cursor of a timeframe that is watched from now on."""
    cursor, frame = Cursor(repeats_open=repeats_open), live.frames.get(timeframe)
    if frame is None:
        frame = Frame(timeframe)
        live.watch(frame)
    frame.cursors.append(cursor)
    return cursor


@given(trade_runs(), st.data())
def test_candles_merge_to_the_same_in_any_order_and_grouping(
    run: list[Trade], data: st.DataObject
) -> None:
    width = 15 * 60_000
    parts = [of_trade(t, 0) for t in run if not t.is_tombstone and t.timestamp < width]
    shuffled = data.draw(st.permutations(parts))
    cut = data.draw(st.integers(0, len(parts)))
    halves = [c for c in (merged(shuffled[:cut], 0), merged(shuffled[cut:], 0)) if c is not None]
    assert merged(halves, 0) == merged(parts, 0)
    if parts:
        assert merged([flat(0, 5), *parts, flat(0, 7)], 0) == merged(parts, 0)


@given(trade_runs(), st.integers(0, 3))
def test_trades_folded_together_come_to_the_same_as_one_by_one(
    run: list[Trade], minutes: int
) -> None:
    together, singly = (LiveCandles(watermark=minutes * MINUTE_MS) for _ in range(2))
    late = [minute for item in run if (minute := singly.fold([item])) is not None]
    assert together.fold(run) == min(late, default=None)
    assert together.minutes == singly.minutes
    assert together.newest_ms == singly.newest_ms


@given(trade_runs(), st.data())
def test_every_published_candle_is_right_and_the_last_word_on_each_is_final(
    run: list[Trade], data: st.DataObject
) -> None:
    live = LiveCandles(watermark=0)
    cursors = {timeframe: follow(live, timeframe) for timeframe in TIMEFRAMES}
    published: dict[int, dict[int, Row]] = {timeframe: {} for timeframe in TIMEFRAMES}
    folded: list[Trade] = []
    queue = data.draw(st.permutations(run)) if data.draw(st.booleans()) else list(run)
    now = 0
    while queue:
        size = data.draw(st.integers(1, 8))
        batch, queue = queue[:size], queue[size:]
        assert live.fold(batch) is None
        folded += batch
        now = max(now, live.newest_ms)
        if data.draw(st.booleans()):
            for timeframe, cursor in cursors.items():
                candles = cursor.take(live.walk(timeframe, now))
                published[timeframe].update({c.candle_time: row(c) for c in candles})
                rows = naive_candles(folded, timeframe, now)
                assert all(row(c) in rows for c in candles)
                assert [row(c) for c in candles[-1:]] == rows[-1:]
        # the store may only take over minutes into which nothing more falls
        settled = min((t.timestamp for t in queue), default=now)
        live.advance(max(live.watermark, bucket_start(min(settled, now), 1)))
    for timeframe, cursor in cursors.items():
        candles = cursor.take(live.walk(timeframe, now))
        published[timeframe].update({c.candle_time: row(c) for c in candles})
        expected = naive_candles(folded, timeframe, now)
        assert [published[timeframe][r["candle_time"]] for r in expected] == expected  # type: ignore[index]


def test_the_open_candle_is_published_at_each_tick_and_a_closed_one_once() -> None:
    live = LiveCandles(watermark=0)
    cursor = follow(live, 1)
    live.fold([trade(1, price="100", timestamp=10)])
    assert [c.candle_time for c in cursor.take(live.walk(1, 20))] == [0]
    assert [c.candle_time for c in cursor.take(live.walk(1, 30))] == [0]
    assert [c.candle_time for c in cursor.take(live.walk(1, 60_000))] == [60_000]
    live.fold([trade(2, price="101", timestamp=59_999)])
    assert [(c.candle_time, c.is_flat) for c in cursor.take(live.walk(1, 60_001))] == [
        (0, False),
        (60_000, True),
    ]


def test_a_final_candle_is_published_even_when_the_store_takes_it_over_before_the_tick() -> None:
    live = LiveCandles(watermark=0)
    cursor = follow(live, 1)
    live.fold([trade(1, timestamp=10)])
    cursor.take(live.walk(1, 20))
    live.fold([trade(2, timestamp=59_000), trade(3, timestamp=60_500)])
    live.advance(60_000)
    published = cursor.take(live.walk(1, 60_500))
    assert [(c.candle_time, c.aggregates) for c in published] == [(0, 2), (60_000, 1)]


def test_each_consumer_takes_every_change_at_its_own_pace() -> None:
    live = LiveCandles(watermark=0)
    quick, slow = follow(live, 1, repeats_open=False), follow(live, 1, repeats_open=False)
    live.fold([trade(1, timestamp=10)])
    assert [c.aggregates for c in quick.take(live.walk(1, 20))] == [1]
    assert quick.take(live.walk(1, 30)) == []
    live.fold([trade(2, timestamp=20), trade(3, timestamp=60_500)])
    live.advance(60_000)
    late = follow(live, 1, repeats_open=False)
    for cursor in (quick, slow):
        taken = [(c.candle_time, c.aggregates) for c in cursor.take(live.walk(1, 60_500))]
        assert taken == [(0, 2), (60_000, 1)]
    assert [c.candle_time for c in late.take(live.walk(1, 60_500))] == [60_000]
    corrected = [flat(0, 5)]
    live.frames[1].give_past()
    live.frames[1].correct(corrected)
    for cursor in (quick, slow, late):
        assert cursor.take(live.walk(1, 60_600)) == corrected


def test_a_trade_before_the_watermark_names_the_minute_to_recompute() -> None:
    live = LiveCandles(watermark=120_000)
    assert live.fold([trade(5, timestamp=130_000)]) is None
    assert live.fold([trade(3, timestamp=61_000), trade(4, timestamp=119_999)]) == 60_000


def test_a_quiet_market_before_any_trade_has_no_candle() -> None:
    live = LiveCandles(watermark=0)
    cursor = follow(live, 5)
    assert cursor.take(live.walk(5, 600_000)) == []


def test_watching_starts_from_what_the_store_has() -> None:
    live = LiveCandles(watermark=120_000)
    live.fold([trade(7, price="9", quantity="2", timestamp=125_000)])
    stored: Candle = of_trade(trade(3, price="8", quantity="1", timestamp=61_000), 0)
    frame = Frame(15)
    frame.rebase(live.watermark, stored, previous_close=None)
    live.watch(frame)
    (candle,) = live.walk(15, 130_000)
    assert (candle.open, candle.close, candle.volume) == (8 * 10**8, 9 * 10**8, 3 * 10**8)


def test_no_quiet_candle_continues_one_that_lacks_trades() -> None:
    live = LiveCandles(watermark=0, whole_from_ms=60_001)
    cursor = follow(live, 1)
    live.fold([trade(1, timestamp=61_000)])
    assert cursor.take(live.walk(1, 200_000)) == []
    live.advance(180_000)
    assert cursor.take(live.walk(1, 200_000)) == []
    live.fold([trade(2, timestamp=185_000)])
    assert [c.candle_time for c in cursor.take(live.walk(1, 250_000))] == [180_000, 240_000]
