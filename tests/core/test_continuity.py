"""Every id between the first that matters and the newest is here or in a named gap."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hypothesis import given
from hypothesis import strategies as st

from ingest.core.continuity import Continuity, Gap
from tests.factories import trade


def ids_in(gaps: Iterable[Gap]) -> set[int]:
    return {i for gap in gaps for i in range(gap.from_id, gap.to_id + 1)}


arrivals = st.lists(
    st.one_of(
        st.tuples(st.just("trade"), st.integers(40, 120)),
        st.tuples(st.just("reach"), st.integers(40, 120)),
        st.tuples(st.just("back"), st.integers(20, 60)),
        st.tuples(st.just("confirm"), st.integers(20, 120)),
        st.tuples(st.just("absent"), st.integers(20, 120)),
        st.tuples(st.just("unreadable"), st.integers(20, 120)),
        st.tuples(st.just("silent"), st.integers(20, 120)),
        st.tuples(st.just("retract"), st.integers(40, 120)),
    ),
    max_size=60,
)


def happens(continuity: Continuity, kind: str, number: int, now: float) -> None:
    """Let something other than a trade happen to a continuity."""
    gap = Gap(number, number + 3)
    happenings: dict[str, Callable[[], object]] = {
        "reach": lambda: continuity.reach(number),
        "back": lambda: continuity.extend_back(number),
        "confirm": lambda: continuity.confirm(gap),
        "absent": lambda: continuity.mark_absent(gap, now, 60),
        "unreadable": lambda: continuity.mark_unreadable(gap, now),
        "silent": lambda: continuity.mark_silent(gap, now),
        "retract": lambda: continuity.retract(number),
    }
    happenings[kind]()


@given(arrivals)
def test_ids_are_seen_or_in_a_gap_whatever_the_order_of_arrival(
    events: list[tuple[str, int]],
) -> None:
    continuity = Continuity(first_id=50)
    seen: set[int] = set()
    for now, (kind, number) in enumerate(events):
        if kind == "trade":
            fresh = continuity.admit([trade(number)])
            assert bool(fresh) == (number not in seen and number >= continuity.first_id)
            seen.update(item.aggregate_id for item in fresh)
        else:
            happens(continuity, kind, number, now * 30)
        missing, confirmed = ids_in(continuity.gaps), ids_in(continuity.confirmed)
        everything = set(range(continuity.first_id, continuity.high_water + 1))
        assert seen | missing | confirmed == everything
        assert len(seen) + len(missing) + len(confirmed) == len(everything)
        assert continuity.held == len(seen)
        assert (continuity.lowest, continuity.highest) == (
            min(seen, default=None),
            max(seen, default=None),
        )
        for gaps in (continuity.gaps, continuity.confirmed):
            assert list(gaps) == sorted(gaps)
        last = continuity.last_complete
        assert last is None or last >= continuity.first_id
        complete = set() if last is None else set(range(continuity.first_id, last + 1))
        assert not complete & missing


@given(
    st.lists(st.tuples(st.sampled_from(["reach", "confirm", "unreadable"]), st.integers(1, 60))),
    st.lists(st.integers(1, 40).map(lambda first: [*range(first, first + 5)]), max_size=6),
    st.lists(st.integers(1, 60), max_size=12),
)
def test_trades_together_come_to_the_same_as_one_by_one(
    before: list[tuple[str, int]], runs: list[list[int]], others: list[int]
) -> None:
    together, singly = Continuity(first_id=10), Continuity(first_id=10)
    for continuity in (together, singly):
        for kind, number in before:
            happens(continuity, kind, number, 0.0)
    for ids in [*runs, others]:
        trades = [trade(number) for number in ids]
        fresh = [item for one in trades for item in singly.admit([one])]
        assert list(together.admit(trades)) == fresh
        assert together.high_water == singly.high_water
        assert list(together.missing) == list(singly.missing)


def test_a_repeat_is_dropped_and_a_jump_opens_a_gap() -> None:
    continuity = Continuity(first_id=1)
    assert len(continuity.admit([trade(1), trade(2), trade(2), trade(5)])) == 3
    assert list(continuity.gaps) == [Gap(3, 4)]
    assert continuity.last_complete == 2
    assert [t.aggregate_id for t in continuity.admit([trade(4), trade(3), trade(3)])] == [4, 3]
    assert not continuity.gaps
    assert continuity.last_complete == 5


def test_a_trade_that_turns_up_in_a_confirmed_gap_is_taken() -> None:
    continuity = Continuity(first_id=1)
    continuity.reach(4)
    continuity.confirm(Gap(1, 4))
    assert len(continuity.admit([trade(2)])) == 1
    assert list(continuity.confirmed) == [Gap(1, 1), Gap(3, 4)]


def test_an_id_is_confirmed_only_after_answers_past_it_over_the_time_asked_for() -> None:
    continuity = Continuity(first_id=1)
    continuity.admit([trade(1), trade(5)])
    times: list[float] = []
    while continuity.gaps:
        assert continuity.next_due is not None
        times.append(continuity.next_due)
        continuity.mark_absent(Gap(2, 4), times[-1], 120.0)
        continuity.mark_absent(Gap(2, 4), times[-1], 120.0)  # the same answer counts once
    assert times == [0, 2, 6, 14, 30, 62, 122]
    assert list(continuity.confirmed) == [Gap(2, 4)]


def test_a_confirmed_gap_is_asked_for_again_soon_then_rarely() -> None:
    continuity = Continuity(1, 4, confirmed=[Gap(2, 3)])
    now, pauses = 0.0, []
    for _ in range(8):
        assert continuity.due(now)
        continuity.mark_absent(Gap(2, 3), now, 120.0)
        assert continuity.next_due is not None
        pauses.append(continuity.next_due - now)
        now = continuity.next_due
    assert pauses[0] == 60
    assert pauses == sorted(pauses)
    assert pauses[-1] == 6 * 3600


def test_unreadable_ids_are_never_absent_and_never_left_for_a_minute() -> None:
    continuity = Continuity(1, 9, [Gap(2, 4)])
    now = 0.0
    for _ in range(100):
        continuity.mark_unreadable(Gap(2, 4), now)
        assert list(continuity.unreadable) == list(continuity.gaps) == [Gap(2, 4)]
        assert continuity.next_due is not None
        assert 0 < continuity.next_due - now < 60
        now = continuity.next_due
    assert continuity.admit([trade(3)])
    assert continuity.due(now - 1) == list(continuity.missing)  # the others may be readable too


def test_an_absent_id_that_is_there_but_unreadable_is_waited_for_again() -> None:
    continuity = Continuity(1, 9, confirmed=[Gap(2, 4)])
    assert continuity.is_whole
    continuity.mark_unreadable(Gap(3, 3), 0.0)
    assert (continuity.is_whole, list(continuity.confirmed)) == (False, [Gap(2, 2), Gap(4, 4)])
