"""Running seconds, held to those that are made of all trades anew."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from handlers.binance.stream.seconds import MOST_QUIET, Second
from ingest.core.candle import Candle, flat, of_trades
from ingest.core.trade import Trade

START = 1_700_000_000_000
STEPS = st.lists(st.tuples(st.integers(-900, 4000), st.integers(1, 10**10)), max_size=40)


def trades_of(steps: list[tuple[int, int]]) -> list[Trade]:
    """Trades that follow each other by their ids, a few of them back in time."""
    found, time = [], START - 2000
    for number, (step, price) in enumerate(steps, 1):
        time += step
        found.append(Trade(number, price, 7, number, number, time, number % 2 == 0))
    return found


@given(STEPS)
def test_they_are_what_the_trades_of_a_second_come_to(steps: list[tuple[int, int]]) -> None:
    running = Second(START, 5)
    taken: dict[int, list[Trade]] = {}
    ended: list[Candle] = []
    for trade in trades_of(steps):
        current = running.shown.candle.candle_time
        ended += (shown.candle for shown in running.take(trade) if shown.is_closed)
        second = trade.timestamp // 1000 * 1000
        if second >= current:
            taken.setdefault(second, []).append(trade)
    times = [candle.candle_time for candle in ended]
    assert times == list(range(START, START + 1000 * len(times), 1000))
    assert running.shown.candle.candle_time == START + 1000 * len(times)
    close = None
    for candle in (*ended, running.shown.candle):
        trades = taken.get(candle.candle_time)
        if trades:
            assert candle == of_trades(trades, candle.candle_time)
        else:
            assert candle == flat(candle.candle_time, candle.close)
            assert close in (None, candle.close)
        close = candle.close


def test_a_long_silence_gives_its_last_seconds() -> None:
    running = Second(START, 5)
    ended = list(running.go_on(START + 5_000_000))
    assert len(ended) == MOST_QUIET + 1
    assert ended[0].candle.candle_time == START
    assert ended[-1].candle.candle_time == START + 4_999_000
    assert all(shown.is_closed for shown in ended)
    assert list(running.go_on(START)) == []
