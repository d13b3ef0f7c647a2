"""Token buckets, one per client, in integers and bounded memory."""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

NS_PER_SECOND = 1_000_000_000
NS_PER_MINUTE = 60 * NS_PER_SECOND


class Verdict(NamedTuple):
    """The decision of a bucket on one request."""

    allowed: bool
    remaining: int
    """Requests that would be admitted now."""
    wait_s: int
    """Whole seconds, rounded up: until the bucket is full, or if refused until the next token."""


class TokenBuckets:
    """Admits `per_minute` requests a minute of each client, and up to `burst` of them at once.

    In any span of t seconds a client gets at most `burst + t * per_minute / 60` requests. At most
    `max_tracked` clients are tracked: full buckets are dropped, and beyond the bound the least
    recently used one is.
    """

    def __init__(self, per_minute: int, burst: int, max_tracked: int) -> None:
        if min(per_minute, burst, max_tracked) < 1:
            raise ValueError("a rate, a burst and a number of clients are all at least 1")
        # Time is in nanoseconds times the rate, so that one token takes NS_PER_MINUTE: integers
        # that divide without a remainder at every rate.
        self._rate = per_minute
        self._capacity = burst * NS_PER_MINUTE
        self._max_tracked = max_tracked
        self._full_at: dict[Hashable, int] = {}
        """When each bucket is full again; the least recently used first."""

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, client: Hashable, now_ns: int) -> Verdict:
        """Take one token for a request at `now_ns`, nanoseconds of a monotonic clock."""
        now = now_ns * self._rate
        self._forget_full(now)
        full_at = max(self._full_at.get(client, now), now) + NS_PER_MINUTE
        free = self._capacity - (full_at - now)
        if free < 0:
            return Verdict(False, 0, self._seconds(-free))
        self._full_at.pop(client, None)
        if len(self._full_at) >= self._max_tracked:
            del self._full_at[next(iter(self._full_at))]
        self._full_at[client] = full_at
        return Verdict(True, free // NS_PER_MINUTE, self._seconds(full_at - now))

    def _forget_full(self, now: int) -> None:
        while self._full_at:
            oldest = next(iter(self._full_at))
            if self._full_at[oldest] > now:
                return
            del self._full_at[oldest]

    def _seconds(self, scaled: int) -> int:
        return -(-scaled // (self._rate * NS_PER_SECOND))
