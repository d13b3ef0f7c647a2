"""A page of trades says which of the ids asked for are there, absent or unreadable."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.binance.page import Malformed, Page
from ingest.core.continuity import Gap
from ingest.core.errors import MalformedTrade
from ingest.core.trade import Trade


def trade(number: int) -> Trade:
    return Trade(number, 1, 1, number, number, 0, False)


def bad(number: int | None) -> Malformed:
    return Malformed("BTCUSDT", b"{}", MalformedTrade("bad"), number)


def test_one_bad_row_loses_itself_alone() -> None:
    reading = Page([trade(5), trade(7)], [bad(6)]).reading(Gap(5, 9))
    assert reading == ([trade(5), trade(7)], [], [Gap(6, 6)], 8)


def test_a_hole_is_absent_only_where_a_later_id_follows() -> None:
    reading = Page([trade(7)], []).reading(Gap(5, 9))
    assert (reading.absent, reading.next_id) == ([Gap(5, 6)], 8)
    assert Page([], []).reading(Gap(5, 9)) == ([], [], [], 5)


def test_one_answer_passes_over_a_hole_of_any_size() -> None:
    reading = Page([trade(10**9)], []).reading(Gap(5, 10**8))
    assert reading == ([], [Gap(5, 10**8)], [], None)


def test_beside_a_row_without_an_id_no_id_counts_as_absent() -> None:
    assert Page([trade(7)], [bad(None)]).reading(Gap(5, 9)) == ([trade(7)], [], [Gap(5, 6)], 8)
    assert Page([trade(5)], [bad(None)]).reading(Gap(5, 9)).unreadable == [Gap(6, 6)]


def test_without_a_valid_row_no_id_counts_as_absent() -> None:
    assert Page([], [bad(7)]).reading(Gap(5, 9)) == ([], [], [Gap(5, 7)], 8)
    assert Page([], [bad(10**9)]).reading(Gap(5, 9)) == ([], [], [Gap(5, 9)], None)


@given(st.sets(st.integers(0, 40)), st.sets(st.integers(0, 40)), st.integers(0, 3), st.data())
def test_each_asked_id_is_said_one_thing_of(
    good: set[int], wrong: set[int], nameless: int, data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, 40))
    asked = Gap(first, data.draw(st.integers(first, 45)))
    wrong -= good
    page = Page(
        [trade(number) for number in sorted(good)],
        [bad(number) for number in sorted(wrong)] + [bad(None)] * nameless,
    )
    reading = page.reading(asked)
    end = reading.next_id if reading.next_id is not None else asked.to_id + 1
    said = [t.aggregate_id for t in reading.trades]
    for gap in (*reading.absent, *reading.unreadable):
        said += range(gap.from_id, gap.to_id + 1)
    assert sorted(said) == list(range(asked.from_id, end))
    assert {t.aggregate_id for t in reading.trades} == {
        n for n in good if first <= n <= asked.to_id
    }
    for gap in reading.absent:
        assert good
        assert not nameless
        assert not (good | wrong) & set(range(gap.from_id, gap.to_id + 1))
        assert max(good | wrong) > gap.to_id or gap.to_id == asked.to_id
