from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.core.paging import Bounds, Known, page
from ingest.core.timeframe import MINUTE_MS

TIMES = st.none() | st.integers(0, 400 * MINUTE_MS) | st.integers(0, 2**63 - 1)


@st.composite
def knowns(draw: st.DrawFn) -> tuple[int, Known]:
    timeframe = draw(st.integers(1, 20))
    first = draw(st.integers(0, 15))
    width = timeframe * MINUTE_MS
    return timeframe, Known(first * width, (first + draw(st.integers(0, 20))) * width)


@given(knowns(), st.integers(1, 12), TIMES, TIMES, TIMES)
def test_pages_read_on_by_cursor_are_all_that_was_asked_for(
    known: tuple[int, Known], limit: int, start: int | None, end: int | None, cursor: int | None
) -> None:
    timeframe, bounds = known
    width = timeframe * MINUTE_MS
    wanted = [
        time
        for time in range(bounds.first_ms, bounds.last_ms + 1, width)
        if time >= max(start or 0, cursor or 0) and (end is None or time <= end)
    ]
    if start is None and cursor is None:
        wanted = wanted[-limit:]
    got: list[int] = []
    while True:
        found = page(timeframe, bounds, limit, Bounds(start, end, cursor))
        times = list(range(found.start_ms, found.end_ms, width))
        assert len(times) <= limit
        got += times
        if found.next_cursor is None:
            break
        assert times, "a page that is not the last one holds something"
        cursor = found.next_cursor
    assert got == wanted
