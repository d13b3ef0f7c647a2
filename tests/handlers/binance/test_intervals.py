"""Intervals in any time zone, against those of the simulated exchange and plain calendars."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.binance.intervals import interval_of
from handlers.problem import InvalidParameter
from ingest.core.interval import Interval
from simulator.klines import INTERVALS, Frame

MINUTE_MS = 60_000
TIMES = st.integers(10**12, 4 * 10**12)
ZONES = st.integers(-720, 840)


def zone_text(minutes: int) -> str:
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"


@given(st.sampled_from([name for name in INTERVALS if name != "1s"]), ZONES, TIMES)
def test_buckets_are_those_of_the_exchange(name: str, zone: int, time_ms: int) -> None:
    interval = interval_of(name, zone_text(zone))
    frame = Frame(name, zone * MINUTE_MS)
    assert interval.start(time_ms) == frame.opening(time_ms)
    start = interval.start(time_ms)
    assert interval.after(start, 5) == frame.following(start, 5)
    assert interval.first_from(start) == start
    assert interval.first_from(start + 1) == frame.following(start)


@given(st.integers(1, 10_000), ZONES, TIMES)
def test_a_bucket_is_made_of_whole_ones_of_its_base(minutes: int, zone: int, time_ms: int) -> None:
    for interval in (interval_of(f"{minutes}m", zone_text(zone)), interval_of("1M", "5:30")):
        start = interval.start(time_ms)
        width = interval.base * MINUTE_MS
        assert start % width == interval.after(start) % width == 0
        assert interval.after(start) - start <= interval.most_base_buckets * width


def test_zones_are_hours_or_hours_and_minutes() -> None:
    for text, minutes in (("0", 0), ("-1:00", -60), ("05:45", 345), ("8", 480), ("+14:00", 840)):
        assert interval_of("1M", text) == Interval("1M", 0, minutes)


@pytest.mark.parametrize(
    ("name", "zone"), [("1m", "14:01"), ("1m", "-12:01"), ("1m", "99"), ("525601m", "0")]
)
def test_others_are_refused(name: str, zone: str) -> None:
    with pytest.raises(InvalidParameter):
        interval_of(name, zone)
