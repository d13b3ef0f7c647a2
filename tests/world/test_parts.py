"""The parts that a world is made of: they have to be right before anything is held to them."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import naive_candles
from tests.world.chance import chance
from tests.world.loop import START_S, Stuck, VirtualLoop
from tests.world.market import Market
from tests.world.plan import Plan, plan
from tests.world.shrink import shrunk
from tests.world.truth import MINUTE_MS, TIMEFRAMES, Shown, Truth, Wrong

START_MS = 1_701_388_800_000


def market(seed: int, trades: int) -> Market:
    """A market with trades of some minutes."""
    luck = chance(seed, "market")
    made, now_ms = Market("AAAUSDT", 5, luck), START_MS
    for _ in range(trades):
        now_ms += luck.choice((0, 200, 9_000, 100_000))
        made.make(now_ms)
    return made


def truth_of(made: Market) -> Truth:
    """Its candles."""
    return Truth(made, lambda _: False, lambda: START_MS + 10**9)


def shown(row: dict[str, Decimal | int]) -> Shown:
    """A candle of the textbook as a client gets it."""
    return Shown(**{name: row[name] for name in Shown._fields})  # type: ignore[arg-type]


@given(st.integers(0, 10**6), st.integers(1, 60), st.sampled_from(TIMEFRAMES))
def test_the_truth_is_what_plain_arithmetic_says(seed: int, count: int, minutes: int) -> None:
    made = market(seed, count)
    end = made.made[-1].made_ms
    expected = [shown(row) for row in naive_candles(list(made.existing()), minutes, end)]
    width = minutes * MINUTE_MS
    first = expected[0].candle_time if expected else START_MS // width * width
    assert list(truth_of(made).candles(minutes, first, end + 1)) == expected


@given(st.integers(0, 10**6), st.integers(1, 40), st.data())
def test_a_running_candle_is_that_of_any_prefix(seed: int, count: int, data: st.DataObject) -> None:
    made = market(seed, count)
    truth, trades = truth_of(made), list(made.existing())
    prefix = trades[: data.draw(st.integers(1, count))]
    for row in naive_candles(prefix, 7, prefix[-1].timestamp)[-1:]:
        truth.check(7, shown(row), closed_by_ms=None)
        wrong = shown(row)._replace(volume=shown(row).volume + 1)
        with pytest.raises(Wrong):
            truth.check(7, wrong, closed_by_ms=None)


def test_a_closed_candle_has_every_trade_that_was_made_before_its_end() -> None:
    made = Market("AAAUSDT", 5, chance(1))
    made.late = 0.0
    for second in (1, 2, 59):
        made.make(START_MS + second * 1000)
    truth, trades = truth_of(made), [t for t in made.existing() if not t.is_tombstone]
    whole, part = (shown(naive_candles(some, 1, START_MS)[0]) for some in (trades, trades[:-1]))
    end_ms = START_MS + MINUTE_MS
    assert truth.check(1, whole, closed_by_ms=end_ms) == 7
    assert truth.check(1, part, closed_by_ms=None) == 6
    with pytest.raises(Wrong, match="closed without its trade 7"):
        truth.check(1, part, closed_by_ms=end_ms)
    assert truth.check(1, part, closed_by_ms=end_ms - 1000) == 6


def test_time_passes_only_when_there_is_nothing_to_do() -> None:
    async def sleep() -> float:
        await asyncio.gather(asyncio.sleep(86_400), asyncio.sleep(3_600))
        return asyncio.get_running_loop().time()

    loop = VirtualLoop()
    assert loop.run_until_complete(sleep()) == START_S + 86_400
    loop.close()


def test_a_task_that_waits_for_ever_is_named() -> None:
    async def wait() -> None:
        await asyncio.get_running_loop().create_future()

    loop = VirtualLoop()
    with pytest.raises(Stuck):
        loop.run_until_complete(wait())
    loop.close()


@given(st.sets(st.integers(0, 19), max_size=4))
def test_a_plan_is_cut_down_to_the_events_that_it_fails_by(needed: set[int]) -> None:
    longest = next(p for p in map(plan, range(1000)) if len(p.events) == 20)

    def fails(cut: Plan) -> bool:
        return needed <= {event.number for event in cut.events}

    assert {event.number for event in shrunk(longest, fails).events} == needed


def test_an_event_that_is_left_out_changes_no_other() -> None:
    whole = plan(3)
    [first, *rest] = whole.events
    assert whole.only([event.number for event in rest]).events == rest
    assert whole.only([first.number]).events == [first]
