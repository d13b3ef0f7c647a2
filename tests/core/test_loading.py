"""Progress of a download: what has come never shrinks, and the rate is that of the last seconds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.core.loading import RATE_SECONDS, Loading


def test_a_steady_download_has_its_rate_and_the_time_that_is_left() -> None:
    loading = Loading(1000, 0.0)
    assert (loading.trades_per_second, loading.seconds_left) == (0, None)
    for second in range(1, 6):
        loading.note(1000 - 100 * second, float(second))
    assert (loading.loaded, loading.total) == (500, 1000)
    assert (loading.trades_per_second, loading.seconds_left) == (100, 5.0)
    for second in range(6, 6 + RATE_SECONDS):
        loading.note(500, float(second))
    assert (loading.trades_per_second, loading.seconds_left) == (0, None)


@given(st.integers(0, 10**6), st.lists(st.integers(0, 10**6), max_size=30))
def test_what_has_come_never_shrinks(missing: int, notes: list[int]) -> None:
    loading = Loading(missing, 0.0)
    before = 0
    for second, count in enumerate(notes, 1):
        loading.note(count, float(second))
        assert before <= loading.loaded <= loading.total
        assert loading.total - loading.loaded == count
        before = loading.loaded
