"""Token buckets."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.edge.limits import NS_PER_MINUTE, NS_PER_SECOND, TokenBuckets

rates = st.integers(1, 100_000)
bursts = st.integers(1, 50)
# Waits from a nanosecond to beyond the time in which any bucket fills again.
waits = st.lists(
    st.one_of(st.integers(0, 1000), st.integers(0, 200 * NS_PER_MINUTE)), min_size=1, max_size=200
)


@given(rates, bursts, waits)
def test_no_span_admits_more_than_the_burst_and_the_rate(
    rate: int, burst: int, waits: list[int]
) -> None:
    buckets = TokenBuckets(rate, burst, 10)
    now = 0
    admitted: list[int] = []
    for wait in waits:
        now += wait
        if buckets.take("a", now).allowed:
            admitted.append(now)
    for first, start in enumerate(admitted):
        for last in range(first, len(admitted)):
            span = Fraction(admitted[last] - start, NS_PER_MINUTE)
            assert last - first + 1 <= burst + span * rate


@given(rates, bursts, waits)
def test_a_refused_client_is_admitted_after_the_wait_that_it_was_given(
    rate: int, burst: int, waits: list[int]
) -> None:
    buckets = TokenBuckets(rate, burst, 10)
    now = 0
    for wait in waits:
        now += wait
        verdict = buckets.take("a", now)
        if not verdict.allowed:
            assert verdict.wait_s >= 1
            now += verdict.wait_s * NS_PER_SECOND
            assert buckets.take("a", now).allowed


@given(rates, bursts, waits)
def test_remaining_is_what_may_come_at_once(rate: int, burst: int, waits: list[int]) -> None:
    buckets = TokenBuckets(rate, burst, 10)
    now = 0
    for wait in waits:
        now += wait
        verdict = buckets.take("a", now)
    for _ in range(verdict.remaining):
        assert buckets.take("a", now).allowed
    assert not buckets.take("a", now).allowed


@given(rates, bursts, st.lists(st.tuples(st.integers(0, 20), st.integers(0, 10**9)), max_size=200))
def test_memory_is_bounded_and_idle_clients_are_forgotten(
    rate: int, burst: int, requests: list[tuple[int, int]]
) -> None:
    buckets = TokenBuckets(rate, burst, 5)
    now = 0
    for client, wait in requests:
        now += wait
        buckets.take(client, now)
        assert len(buckets) <= 5
    now += burst * NS_PER_MINUTE // rate + NS_PER_MINUTE
    buckets.take("somebody else", now)
    assert len(buckets) == 1


@given(rates, bursts, waits)
def test_clients_do_not_use_up_each_others_tokens(rate: int, burst: int, waits: list[int]) -> None:
    alone, shared = TokenBuckets(rate, burst, 10), TokenBuckets(rate, burst, 10)
    now = 0
    for wait in waits:
        now += wait
        shared.take("b", now)
        assert shared.take("a", now) == alone.take("a", now)


@pytest.mark.parametrize("sizes", [(0, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_sizes_below_one_are_refused(sizes: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        TokenBuckets(*sizes)
