"""The exchange's clock: microseconds since the Unix epoch, at any speed, held or running."""

import time
from collections.abc import Callable

from simulator.errors import SimulatorError

US_PER_SECOND = 1_000_000


def real_time_us() -> int:
    """Return the machine's time in microseconds since the Unix epoch."""
    return time.time_ns() // 1000


class Clock:
    """Exchange time that starts at `start_us` and runs `speed` times as fast as real time.

    With `speed=None` the clock is driven: only `advance` moves it. Past `end_us` (the end of the
    trades) either kind runs at real speed.
    """

    def __init__(
        self,
        start_us: int,
        *,
        speed: float | None = 1.0,
        end_us: int | None = None,
        held: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if speed is None and end_us is None:
            raise SimulatorError("speed max needs an end: replay a file or set --end-at")
        if speed is not None and not 0 < speed <= 1e9:
            raise SimulatorError("speed must be above 0 and at most 1e9, or max")
        self.speed = speed
        self.end_us = end_us
        self.held = held
        self._monotonic = monotonic
        self._base_us = start_us
        self._base_real = monotonic()

    @property
    def driven(self) -> bool:
        """Whether only `advance` moves the clock."""
        return self.speed is None and self.end_us is not None and self._base_us < self.end_us

    def now(self) -> int:
        """Exchange time in microseconds."""
        if self.held or self.driven:
            return self._base_us
        elapsed = (self._monotonic() - self._base_real) * US_PER_SECOND
        speed = 1.0 if self.speed is None else self.speed
        if self.end_us is None:
            return self._base_us + int(elapsed * speed)
        to_end = max(self.end_us - self._base_us, 0) / speed
        if elapsed < to_end:
            return self._base_us + int(elapsed * speed)
        return max(self.end_us, self._base_us) + int(elapsed - to_end)

    def hold(self) -> None:
        """Stop the clock."""
        self._rebase(self.now())
        self.held = True

    def release(self) -> None:
        """Resume a held clock."""
        if self.held:
            self.held = False
            self._rebase(self._base_us)

    def advance(self, to_us: int) -> None:
        """Move the clock forward to `to_us`, never back."""
        self._rebase(max(to_us, self.now()))

    def _rebase(self, now_us: int) -> None:
        self._base_us = now_us
        self._base_real = self._monotonic()
