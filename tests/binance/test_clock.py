"""The exchange's clock: in step, never backwards, and never led astray."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.binance.clock import (
    BELIEVED_AFTER_S,
    MAX_LEAD_MS,
    RESET_MS,
    ClockEstimate,
    ExchangeClock,
    Verdict,
)
from ingest.core.errors import ExchangeUnavailable, NotReady

from .support import until

START_MS = 1_570_752_011_620
"""2019-10-11."""


def test_nothing_is_known_before_the_first_sample() -> None:
    estimate = ClockEstimate()
    assert estimate.observe(0.0, START_MS)
    with pytest.raises(NotReady):
        estimate.at(0.0)


@given(st.floats(0, 100), st.floats(0, 100))
def test_an_answer_that_took_long_puts_the_clock_half_a_second_ahead_at_most(
    there: float, back: float
) -> None:
    estimate = ClockEstimate()
    estimate.sample(0.0, there + back, START_MS)
    assert estimate.at(there + back) - (START_MS + back * 1000) <= 500


def test_the_time_is_that_of_the_middle_of_the_round_trip_and_runs_on() -> None:
    estimate = ClockEstimate()
    estimate.sample(10.0, 10.4, START_MS)
    assert estimate.at(10.2) == START_MS
    assert estimate.at(13.2) == START_MS + 3000


def test_a_small_step_back_of_the_exchange_holds_the_clock_until_it_has_caught_up() -> None:
    estimate = ClockEstimate()
    estimate.sample(0.0, 0.0, START_MS)
    assert estimate.at(5.0) == START_MS + 5000
    assert estimate.sample(5.0, 5.0, START_MS + 2000) is Verdict.FOLLOWED
    assert [estimate.at(5.0 + s) - START_MS for s in (0, 2.9, 4)] == [5000, 5000, 6000]


def test_a_restarted_replay_sets_the_clock_back() -> None:
    estimate = ClockEstimate()
    estimate.sample(0.0, 0.0, START_MS + 86_400_000)
    estimate.at(0.0)
    estimate.witness(0.9, START_MS - 500)
    assert estimate.sample(1.0, 1.0, START_MS) is Verdict.SET_BACK
    assert estimate.at(1.5) == START_MS + 500


def test_trades_push_the_clock_within_bounds_and_the_exchange_is_asked_beyond() -> None:
    estimate = ClockEstimate()
    estimate.sample(0.0, 0.0, START_MS)
    assert not estimate.observe(0.0, START_MS + 700)
    assert estimate.at(0.0) == START_MS + 700
    assert not estimate.observe(0.0, START_MS + 300)
    for _ in range(100):
        assert estimate.observe(0.0, 253_402_300_799_999)
    assert estimate.at(0.0) == START_MS + MAX_LEAD_MS
    estimate.witness(1.0, START_MS + 3_599_000)
    estimate.sample(1.0, 1.0, START_MS + 3_600_000)
    assert estimate.at(1.0) == START_MS + 3_599_000
    estimate.sample(2.0, 2.0, START_MS + 3_601_000)
    assert estimate.at(2.0) == START_MS + 3_601_000


@pytest.mark.parametrize("jump", [-3_600_000, 3_000, 3_600_000, 74 * 365 * 86_400_000])
def test_a_jump_without_a_witness_is_not_believed_for_being_repeated(jump: int) -> None:
    estimate = ClockEstimate()
    estimate.sample(0.0, 0.0, START_MS)
    for now in range(5, 290, 5):
        verdict = estimate.sample(now, now, START_MS + now * 1000 + jump, START_MS + now * 1000)
        assert verdict is Verdict.REFUSED
        assert estimate.at(now) == START_MS + now * 1000
        assert estimate.latest(now) == START_MS + now * 1000 + max(jump, 0)
        if now > 150:
            estimate.witness(now, START_MS + now * 1000)  # the trades go on as expected
    for now in range(290, 600, 5):
        estimate.sample(now, now, START_MS + now * 1000 + jump)
        assert estimate.at(now) == START_MS + now * 1000 or now >= 580


def test_a_jump_that_no_trade_refutes_for_minutes_is_believed() -> None:
    estimate = ClockEstimate()
    estimate.sample(0.0, 0.0, START_MS)
    for now in range(5, 305, 5):
        assert estimate.sample(now, now, START_MS + now * 1000 + 3_600_000) is Verdict.REFUSED
    assert estimate.sample(305, 305, START_MS + 305_000 + 3_600_000) is Verdict.FOLLOWED


def test_the_own_clock_of_this_machine_bears_witness() -> None:
    estimate = ClockEstimate()
    estimate.sample(0.0, 0.0, START_MS + 10**12)
    estimate.at(0.0)
    now_ms = START_MS + 5_000
    assert estimate.sample(5.0, 5.0, now_ms, now_ms + 1_000) is Verdict.SET_BACK
    assert estimate.at(5.0) == now_ms


def test_a_trade_that_has_just_come_refutes_this_machine_too() -> None:
    """Both may be an hour ahead, as by a wrong summer time."""
    estimate = ClockEstimate()
    estimate.sample(0.0, 0.0, START_MS)
    estimate.witness(4.0, START_MS + 4_000)
    ahead = START_MS + 5_000 + 3_600_000
    assert estimate.sample(5.0, 5.0, ahead, ahead) is Verdict.REFUSED
    assert estimate.at(5.0) == START_MS + 5_000


def test_a_server_far_ahead_of_its_trades_is_followed_only_as_far_as_they_go() -> None:
    estimate = ClockEstimate()
    estimate.sample(0.0, 0.0, START_MS)
    estimate.witness(1.0, START_MS + 500_000)
    estimate.sample(1.0, 1.0, START_MS + 10**10)
    assert estimate.at(1.0) == START_MS + 500_000


steps = st.lists(
    st.tuples(st.floats(0, 30), st.integers(-RESET_MS // 2, RESET_MS // 2), st.booleans()),
    max_size=30,
)


@given(steps)
def test_the_clock_never_runs_backwards_while_the_exchange_stays_near(
    steps: list[tuple[float, int, bool]],
) -> None:
    estimate = ClockEstimate()
    estimate.sample(0.0, 0.0, START_MS)
    now, last = 0.0, estimate.at(0.0)
    for seconds, error_ms, is_sample in steps:
        now += seconds
        time_ms = START_MS + int(now * 1000) + error_ms
        if is_sample:
            assert estimate.sample(now, now, time_ms) is not Verdict.SET_BACK
        else:
            estimate.observe(now, time_ms)
        shown = estimate.at(now)
        assert shown >= last
        last = shown


async def test_one_wrong_sample_of_a_round_does_not_count() -> None:
    answers = itertools.cycle([START_MS + 10**12, START_MS, START_MS + 1])

    async def server_time() -> int:
        return next(answers)

    clock = ExchangeClock(server_time, monotonic=lambda: 0.0)
    await clock.synchronize()
    assert clock.now_ms() == START_MS + 1


async def test_a_first_time_that_this_machine_contradicts_has_to_be_given_twice() -> None:
    answers = iter([*[START_MS + 10**12] * 3, *[START_MS] * 3])

    async def server_time() -> int:
        return next(answers)

    clock = ExchangeClock(server_time, monotonic=lambda: 0.0)
    await clock.synchronize()
    assert clock.now_ms() == START_MS


def failing_then(times: Iterator[int | None]) -> ExchangeClock:
    async def server_time() -> int:
        if (time_ms := next(times)) is None:
            raise ExchangeUnavailable("away")
        return time_ms

    return ExchangeClock(server_time, every=3600)


async def test_the_clock_waits_for_an_exchange_that_is_away() -> None:
    clock = failing_then(iter([None, START_MS, None, *[START_MS] * 6]))
    task = asyncio.create_task(clock.run())
    await asyncio.wait_for(clock.ready(), 5)
    assert clock.now_ms() >= START_MS
    task.cancel()


async def test_a_trade_far_ahead_has_the_exchange_asked_soon() -> None:
    clock = failing_then(iter([*[START_MS] * 6, *[START_MS + 86_400_000] * 3]))
    task = asyncio.create_task(clock.run())
    await clock.ready()
    clock.witness(START_MS + 86_400_000)
    clock.observe(START_MS + 86_400_000)
    await until(lambda: clock.now_ms() >= START_MS + 86_400_000)
    task.cancel()


async def test_a_reset_is_announced() -> None:
    resets: list[int] = []
    times = iter([*[START_MS + 86_400_000] * 6, *[START_MS] * 3])

    async def server_time() -> int:
        return next(times)

    clock = ExchangeClock(server_time, on_reset=resets.append)
    await clock.synchronize()
    clock.now_ms()
    clock.witness(START_MS)
    await clock.synchronize()
    assert START_MS <= resets[0] < START_MS + 1_000
    assert len(resets) == 1
    assert clock.now_ms() < START_MS + 60_000


@pytest.mark.parametrize("slow", [1, 2, 3])
async def test_a_round_that_waits_for_its_weight_sets_nothing_back(slow: int) -> None:
    """The other answers of the round are as old as it waited."""
    resets: list[int] = []
    now, asked = 0.0, 0

    async def server_time() -> int:
        nonlocal now, asked
        asked += 1
        now += 61.0 if asked == 3 + slow else 0.1
        if clock.is_set:
            clock.now_ms()  # candles go on meanwhile
        return START_MS + int(now * 1000)

    clock = ExchangeClock(
        server_time,
        on_reset=resets.append,
        monotonic=lambda: now,
        host_ms=lambda: START_MS + int(now * 1000),
    )
    await clock.synchronize()
    first = clock.now_ms()
    await clock.synchronize()
    assert not resets
    assert 60_000 < clock.now_ms() - first < 62_000


@pytest.mark.parametrize(
    ("server_ms", "trade_ms", "expected"),
    [
        (START_MS + 1_000, None, START_MS + 1_000),
        (START_MS - 10**10, None, START_MS - 10**10),  # a replay
        (START_MS + 30_000, START_MS - 5, START_MS),  # nothing says yet that it is so late
        (START_MS + 30_000, START_MS + 29_000, START_MS + 29_000),
        (START_MS + 5_000, START_MS + 3, START_MS + 3),
        (START_MS + 3_600_000, START_MS + 3_599_000, START_MS + 3_599_000),
        (START_MS + 3_600_000, START_MS - 5, None),
        (START_MS + 3_600_000, None, None),
        (START_MS - 3_600_000, START_MS - 5, None),
    ],
)
async def test_the_first_time_is_held_to_this_machine_and_the_newest_trade(
    server_ms: int, trade_ms: int | None, expected: int | None
) -> None:
    now = 0.0

    async def server_time() -> int:
        return server_ms

    async def newest_trade_ms() -> int | None:
        return trade_ms

    clock = ExchangeClock(
        server_time,
        newest_trade_ms=newest_trade_ms,
        monotonic=lambda: now,
        host_ms=lambda: START_MS,
    )
    if expected is None:
        with pytest.raises(ExchangeUnavailable, match="set this machine's clock"):
            await clock.synchronize()
        now += BELIEVED_AFTER_S  # and it goes on to say so
        expected = server_ms
    await clock.synchronize()
    assert clock.now_ms() == expected


@pytest.mark.parametrize("is_traded", [False, True])
async def test_new_trades_refute_a_first_time_that_this_machine_comes_to_agree_with(
    is_traded: bool,
) -> None:
    now, host_ms, hour = 0.0, START_MS, 3_600_000

    async def server_time() -> int:
        return START_MS + hour

    async def newest_trade_ms() -> int | None:
        return START_MS + (int(now) if is_traded else 0)

    clock = ExchangeClock(
        server_time,
        newest_trade_ms=newest_trade_ms,
        monotonic=lambda: now,
        host_ms=lambda: host_ms,
    )
    with pytest.raises(ExchangeUnavailable):
        await clock.synchronize()
    now, host_ms = 5.0, host_ms + hour
    if is_traded:
        with pytest.raises(ExchangeUnavailable):
            await clock.synchronize()
        return
    await clock.synchronize()  # this machine's clock has been set right
    assert clock.now_ms() == START_MS + hour
