"""Every id between the first that matters and the newest is here or in a named gap."""

from __future__ import annotations

from collections.abc import Iterable

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
    ),
    max_size=60,
)


@given(arrivals)
def test_ids_are_seen_or_in_a_gap_whatever_the_order_of_arrival(
    events: list[tuple[str, int]],
) -> None:
    continuity = Continuity(first_id=50)
    seen: set[int] = set()
    for kind, number in events:
        if kind == "trade":
            fresh = continuity.admit([trade(number)])
            assert bool(fresh) == (number not in seen and number >= continuity.first_id)
            seen.update(item.aggregate_id for item in fresh)
        elif kind == "reach":
            continuity.reach(number)
        elif kind == "back":
            continuity.extend_back(number)
        else:
            continuity.confirm(Gap(number, number + 3))
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
