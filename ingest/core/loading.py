"""How far the download of a symbol's history has come."""

from __future__ import annotations

from collections import deque

RATE_SECONDS = 10
"""The rate is that of so many seconds."""


class Loading:
    """Counts of trades, and the rate at which they come. Times are monotonic seconds."""

    def __init__(self, missing: int, now: float) -> None:
        self.total = missing
        """Trades that were missing at the start, and those that were found missing since."""
        self.loaded = 0
        """Those of them that have come, or do not exist."""
        self._noted = deque([(now, 0)], RATE_SECONDS + 1)

    def note(self, missing: int, now: float) -> None:
        """Note how many trades are missing now; once a second."""
        self.total = max(self.total, self.loaded + missing)
        self.loaded = self.total - missing
        self._noted.append((now, self.loaded))

    @property
    def trades_per_second(self) -> int:
        """How many have come a second lately."""
        (since, before), (now, loaded) = self._noted[0], self._noted[-1]
        return round((loaded - before) / (now - since)) if now > since else 0

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the rest will have come at that rate; None while none come."""
        rate = self.trades_per_second
        return round((self.total - self.loaded) / rate, 1) if rate else None
