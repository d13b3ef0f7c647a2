"""A token bucket: how many messages a client may send. Time is an argument."""

from __future__ import annotations


class Pace:
    """Allows `rate` messages per second on average, `burst` at once."""

    __slots__ = ("_burst", "_last", "_rate", "_tokens")

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._tokens = float(burst)
        self._last = now

    def allows(self, now: float) -> bool:
        """Take one message at `now` (seconds of a monotonic clock)."""
        gained = (now - self._last) * self._rate
        self._tokens = min(self._burst, self._tokens + gained)
        self._last = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True
