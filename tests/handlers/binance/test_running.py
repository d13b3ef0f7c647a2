"""The running candle of a stream, held to one that is made of all trades anew."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from handlers.binance.intervals import interval_of
from handlers.binance.stream.running import Running, Shown
from ingest.core.candle import Candle, flat, merged, of_trades
from ingest.core.timeframe import MINUTE_MS
from ingest.core.trade import Trade

START = 1_709_251_200_000 - 120 * MINUTE_MS
"""Two hours before a month begins."""
MINUTES = 240
INTERVALS = st.sampled_from(["1m", "7m", "30m", "90m", "1h", "1d", "1w", "1M"])
ZONES = st.sampled_from(["0", "8", "-3:30"])
STEPS = st.lists(st.tuples(st.integers(0, MINUTES - 1), st.integers(1, 10**12)), max_size=60)


class Base:
    """The candles of the base, by their trades: what changes is reported as a cursor does."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.trades: dict[int, list[Trade]] = {}
        self.now = START // width * width
        self.number = 0

    def add(self, minute: int, price: int) -> list[Candle]:
        """Add a trade, which may be late; returns the candles that have changed."""
        time = START + minute * MINUTE_MS
        bucket = time // self.width * self.width
        changed = {bucket, *range(self.now + self.width, bucket + 1, self.width)}
        self.now = max(self.now, bucket)
        self.number += 1
        trade = Trade(self.number, price, 1, self.number, self.number, time, False)
        self.trades.setdefault(bucket, []).append(trade)
        return [self.candle(each) for each in sorted(changed)]

    def candle(self, bucket: int) -> Candle:
        trades = self.trades.get(bucket)
        return of_trades(trades, bucket) if trades else flat(bucket, 7)

    def all(self, start: int, end: int) -> Iterator[Candle]:
        return (self.candle(bucket) for bucket in range(start, end, self.width))


@given(INTERVALS, ZONES, STEPS)
def test_it_is_what_its_parts_come_to(name: str, zone: str, steps: list[tuple[int, int]]) -> None:
    interval = interval_of(name, zone)
    base, running = Base(interval.base * MINUTE_MS), Running(interval)
    start = interval.start(START)
    running.restart(base.all(start, base.now + base.width))
    closed: list[int] = []
    for minute, price in steps:
        changed = base.add(minute, price)
        for candle, is_closed in running.take(changed):
            end = interval.after(candle.candle_time)
            known = range(candle.candle_time, min(end, base.now + 1), base.width)
            expected = merged(map(base.candle, known), candle.candle_time)
            assert candle == expected
            assert is_closed is (base.now >= end)
            closed += [candle.candle_time] if is_closed else []
    assert closed == sorted(set(closed))
    assert running.whole == merged(
        base.all(interval.start(base.now), base.now + 1), interval.start(base.now)
    )
    first = interval.start(START)
    while (after := interval.after(first)) <= base.now:
        assert first in closed
        first = after


def test_a_bucket_that_lacks_a_part_is_not_shown() -> None:
    running = Running(interval_of("1w", "0"))
    day = 1440 * MINUTE_MS
    monday = 1_709_510_400_000
    assert list(running.take([flat(monday + day, 5)])) == []
    assert running.whole is None
    assert list(running.take([flat(monday, 5)])) == [Shown(flat(monday, 5), is_closed=False)]
    assert list(running.take([flat(monday + 3 * day, 5)])) == []
    following = flat(monday + 7 * day, 5)
    assert list(running.take([following])) == [Shown(following, is_closed=False)]
