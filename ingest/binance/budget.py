"""The account of request weight: what the exchange lets one address ask for in a minute.

The exchange counts in fixed minutes of its own. Here nothing is forgotten until 60 s after its
answer came, so that no minute of the exchange, wherever it starts, can hold more than the budget.
"""

from __future__ import annotations

import math
from collections import deque
from enum import IntEnum
from typing import Final, NamedTuple

from .limits import MAX_RETRY_AFTER_S

WINDOW_S: Final = 60.0
INITIAL_LIMIT: Final = 1200
"""Weight per minute until `exchangeInfo` is read: the least that the exchange ever allowed."""

MAX_LIMIT: Final = 1_000_000
"""Weight per minute beyond which a figure of the exchange is not believed."""

HEAVIEST_REQUEST: Final = 20
"""The budget is never less, or such a request could never be sent."""

DEFAULT_SHARE: Final = 0.8
"""The part of the limit that is used; the rest is left to other programs on the same address."""

DEFAULT_RETRY_AFTER_S: Final = {429: 60.0, 418: 120.0}
"""How long to be silent when the exchange refuses without saying how long."""

RETRY_MARGIN_S: Final = 0.1
"""Added to every Retry-After, since two machines' clocks do not run equally fast."""

MAX_IN_FLIGHT: Final = 4
"""Requests at a time: enough to use all weight at 150 ms a request, and few enough that a 429
finds little on its way."""


class Priority(IntEnum):
    """Who goes first when weight is short."""

    CLOCK = 0
    GAP = 1
    HISTORY = 2
    REQUEST = 3
    """Asked for by a client: it waits for all others, and never takes more than its share."""


REQUEST_SHARE: Final = 0.5
"""The part of the budget that requests of clients may fill; the rest is continuity's alone."""


class WeightStatistics(NamedTuple):
    """Weights are per minute; `banned_for` is in seconds, 0 when there is no ban."""

    limit: int
    budget: int
    used: int
    reserved: int
    requests: int
    throttled: int
    banned_for: float
    waiting: int


class WeightBudget:
    """The account of one address. Pure: every `now` is seconds on a monotonic clock."""

    def __init__(
        self,
        limit: int = INITIAL_LIMIT,
        share: float = DEFAULT_SHARE,
        *,
        window: float = WINDOW_S,
        max_in_flight: int = MAX_IN_FLIGHT,
    ) -> None:
        """`limit` is the weight per `window` seconds, of which `share` is used."""
        if not 0 < share <= 1:
            raise ValueError(f"The share of the request weight is above 0 and at most 1: {share}")
        self._share = share
        self._window = window
        self._max_in_flight = max_in_flight
        self._in_flight = 0
        self.limit = limit
        self.reserved = 0
        self.requests = 0
        self.throttled = 0
        self.banned_until = -math.inf
        self._spent: deque[tuple[float, int]] = deque()
        self._used = 0

    @property
    def budget(self) -> int:
        """The weight per minute that may be used."""
        return max(HEAVIEST_REQUEST, int(self.limit * self._share))

    def used(self, now: float) -> int:
        """The weight of the last minute's answers, that of other programs included."""
        while self._spent and self._spent[0][0] <= now:
            self._used -= self._spent.popleft()[1]
        return self._used

    def ceiling(self, priority: Priority) -> int:
        """The weight per minute, used by all, up to which this priority may send."""
        if priority is Priority.REQUEST:
            return max(HEAVIEST_REQUEST, int(self.budget * REQUEST_SHARE))
        return self.budget

    def reserve(self, weight: int, now: float, priority: Priority = Priority.GAP) -> bool:
        """Take `weight` for a request that is sent at once; False when it may not be sent."""
        if now < self.banned_until or self._in_flight >= self._max_in_flight:
            return False
        if self.used(now) + self.reserved + weight > self.ceiling(priority):
            return False
        self._in_flight += 1
        self.reserved += weight
        self.requests += 1
        return True

    def settle(self, weight: int, now: float, reported: int | None = None) -> None:
        """End a reservation: the answer came, or it never will.

        `reported` is the weight that the exchange says was used in its current minute. When that is
        more than is known here, somebody else used the difference.
        """
        foreign = 0
        if reported is not None:
            foreign = max(0, min(reported, MAX_LIMIT) - self.used(now) - self.reserved)
        self._in_flight -= 1
        self.reserved -= weight
        self._spent.append((now + self._window, weight + foreign))
        self._used += weight + foreign

    def release(self, weight: int) -> None:
        """Give a reservation back: its request was not sent."""
        self._in_flight -= 1
        self.reserved -= weight
        self.requests -= 1

    def refused(self, now: float, status: int, retry_after: float | None) -> float:
        """Obey a 429 or 418; returns when the next request may be sent."""
        self.throttled += 1
        if retry_after is None or not 0 <= retry_after <= MAX_RETRY_AFTER_S:
            retry_after = DEFAULT_RETRY_AFTER_S.get(status, DEFAULT_RETRY_AFTER_S[429])
        self.banned_until = max(self.banned_until, now + retry_after + RETRY_MARGIN_S)
        return self.banned_until

    def retry_at(self, weight: int, now: float, priority: Priority = Priority.GAP) -> float | None:
        """When a refused `reserve` can succeed, or None when an answer has to come first."""
        if self._in_flight >= self._max_in_flight:
            return None
        free = self.ceiling(priority) - self.used(now) - self.reserved
        due = max(now, self.banned_until)
        if free >= weight:
            return due
        for expires, spent in self._spent:
            free += spent
            if free >= weight:
                return max(due, expires)
        return None
