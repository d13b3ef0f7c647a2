"""Sums over the latest minutes equal those over all trades of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.core.candle import Candle, flat, merged, of_trade
from ingest.core.timeframe import MINUTE_MS, bucket_start
from ingest.core.trade import Trade
from ingest.core.window import MinuteWindow
from tests.factories import trade_runs


def by_minute(trades: list[Trade]) -> dict[int, Candle]:
    groups: dict[int, list[Candle]] = {}
    for item in trades:
        minute = bucket_start(item.timestamp, 1)
        groups.setdefault(minute, []).append(of_trade(item, minute))
    return {m: found for m, parts in groups.items() if (found := merged(parts, m)) is not None}


@given(trade_runs(), st.lists(st.integers(0, 21), min_size=1, max_size=4), st.integers(0, 21))
def test_a_window_in_any_steps_is_the_merge_of_its_trades(
    run: list[Trade], watermarks: list[int], from_minute: int
) -> None:
    real = [item for item in run if not item.is_tombstone]
    minutes = by_minute(real)
    window, start = MinuteWindow(), from_minute * MINUTE_MS
    for watermark in sorted(watermarks):
        until = watermark * MINUTE_MS
        fresh = [
            minutes.get(minute, flat(minute, 1)) for minute in range(window.until, until, MINUTE_MS)
        ]
        window.take(fresh, until, 0)
        live = {minute: candle for minute, candle in minutes.items() if minute >= until}
        for _ in range(2):
            found = window.since(start, live)
            wanted = [of_trade(item, start) for item in real if item.timestamp >= start]
            if wanted:
                assert found == merged(wanted, start)
            else:
                assert found is None or found.is_flat


def test_minutes_before_the_window_are_forgotten() -> None:
    window = MinuteWindow()
    window.take([flat(minute * MINUTE_MS, 5) for minute in range(10)], 10 * MINUTE_MS, 0)
    window.take([], 10 * MINUTE_MS, 8 * MINUTE_MS)
    assert window.since(0, {}) == flat(0, 5)
    window.take([], 10 * MINUTE_MS, 10 * MINUTE_MS)
    assert window.since(0, {}) is None
