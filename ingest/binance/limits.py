"""Limits of the exchange on connections and messages, and the pauses between attempts."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from typing import Final

CONNECTION_ATTEMPTS: Final = (300, 300.0)
"""The exchange takes 300 connection attempts per 5 minutes (300 s) from one address."""

OUTGOING_MESSAGES: Final = (4, 1.0)
"""The exchange takes 5 messages a second on a connection, pongs included: one is kept for them."""

MAX_RETRY_AFTER_S: Final = 3 * 86_400.0
"""The longest ban that the exchange documents: three days."""

FIRST_PAUSE_S: Final = 0.25
LONGEST_PAUSE_S: Final = 3.0
"""Short, so that a feed is whole again within seconds of the exchange being back."""


def pause_before(attempt: int) -> float:
    """Seconds to wait before the given attempt to try again (1 is the first one).

    Doubles from attempt to attempt, with jitter, so that many clients that lost the exchange
    at one moment do not come back at one moment.
    """
    longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(attempt - 1, 30))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter is no secret


def whole_number(text: str | None) -> int | None:
    """The value of a header such as `Retry-After`, or None when it is no short whole number."""
    return int(text) if text and len(text) < 10 and text.isascii() and text.isdigit() else None


class SlidingLimit:
    """At most `count` events in any `seconds`. Times are seconds on a monotonic clock."""

    def __init__(self, count: int, seconds: float) -> None:
        self._seconds = seconds
        self._times: deque[float] = deque(maxlen=count)

    def take(self, now: float) -> float:
        """Claim the next free place and return how many seconds it is away."""
        due = now
        if len(self._times) == self._times.maxlen:
            due = max(now, self._times[0] + self._seconds)
        self._times.append(due)
        return due - now

    async def wait(self) -> None:
        """Claim a place and wait for it."""
        delay = self.take(asyncio.get_running_loop().time())
        if delay > 0:
            await asyncio.sleep(delay)
