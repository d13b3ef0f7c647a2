"""The exchange's clock: the one that opens and closes candles.

It follows the server time of the exchange, and runs on by this machine's monotonic clock between
samples. The times of trades push it too, so that a replay of 2019 at any speed runs in 2019.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

from ingest.core.errors import ExchangeError, NotReady

from .limits import pause_before

SAMPLES: Final = 3
"""Samples at a time; that with the shortest round trip is used."""

MAX_LEAD_MS: Final = 1_000
"""How far trades alone may push the clock between two samples. Beyond it the exchange itself is
asked, or one wrong trade could close every candle."""

RESET_MS: Final = 60_000
"""A clock that is ahead by no more holds still until the exchange has caught up; one that is
further ahead is set back: the exchange is another one now, such as a restarted replay."""

FAILURES_A_WARNING: Final = 30
"""Failures in a row between two warnings, so that an outage does not fill the log."""

SHORTEST_PAUSE_S: Final = 0.5
"""Between two rounds of samples."""

_log = logging.getLogger(__name__)


class ClockEstimate:
    """What is known of the exchange's time. Pure: `now` is seconds on a monotonic clock."""

    def __init__(self) -> None:
        self._sampled_at = 0.0
        self._sampled_ms: float | None = None
        self._lead_ms = 0.0
        self._shown = 0

    @property
    def is_set(self) -> bool:
        """Whether a sample was taken."""
        return self._sampled_ms is not None

    def at(self, now: float) -> int:
        """The exchange's time in milliseconds; never less than what was said before."""
        self._shown = max(self._shown, int(self._expected(now) + self._lead_ms))
        return self._shown

    def _expected(self, now: float) -> float:
        if self._sampled_ms is None:
            raise NotReady("The exchange's time is not known yet: ask again when it has answered")
        return self._sampled_ms + (now - self._sampled_at) * 1000

    def sample(self, sent: float, received: float, server_ms: int) -> bool:
        """Follow a server time asked for at `sent` and answered at `received`.

        Returns whether the clock was set back.
        """
        self._sampled_at, self._sampled_ms = (sent + received) / 2, float(server_ms)
        self._lead_ms = 0.0
        ahead = self._shown - self._expected(received)
        if ahead <= RESET_MS:
            return False
        self._shown = int(self._expected(received))
        return True

    def observe(self, now: float, time_ms: int) -> bool:
        """Let the time of a trade push the clock; returns whether the exchange must be asked."""
        if self._sampled_ms is None:
            return True
        lead = time_ms - self._expected(now)
        self._lead_ms = max(self._lead_ms, min(lead, MAX_LEAD_MS))
        return lead > MAX_LEAD_MS


class ExchangeClock:
    """Keeps a ClockEstimate in step with `server_time`, in milliseconds."""

    def __init__(
        self,
        server_time: Callable[[], Awaitable[int]],
        *,
        every: float = 5.0,
        on_reset: Callable[[int], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`every` is in seconds; `on_reset` gets the new time when the clock was set back."""
        self._server_time = server_time
        self._every = every
        self._on_reset = on_reset
        self._monotonic = monotonic
        self._estimate = ClockEstimate()
        self._ask = asyncio.Event()
        self._ready = asyncio.Event()

    @property
    def is_set(self) -> bool:
        """Whether the exchange's time is known."""
        return self._estimate.is_set

    def now_ms(self) -> int:
        """The exchange's time in milliseconds; NotReady before the first sample."""
        return self._estimate.at(self._monotonic())

    def observe(self, time_ms: int) -> None:
        """Tell the clock the time of the newest trade."""
        if self._estimate.observe(self._monotonic(), time_ms):
            self._ask.set()

    async def ready(self) -> None:
        """Wait until the exchange's time is known."""
        await self._ready.wait()

    async def synchronize(self) -> None:
        """Take a round of samples and follow the best one; raises ExchangeError."""
        samples = []
        for _ in range(SAMPLES):
            sent = self._monotonic()
            server_ms = await self._server_time()
            received = self._monotonic()
            samples.append((received - sent, sent, received, server_ms))
        _, sent, received, server_ms = min(samples)
        if self._estimate.sample(sent, received, server_ms):
            _log.warning("The exchange's clock was set back to %d ms", server_ms)
            if self._on_reset is not None:
                self._on_reset(server_ms)
        self._ready.set()

    async def run(self) -> None:
        """Keep in step until cancelled."""
        failures = 0
        while True:
            self._ask.clear()
            try:
                await self.synchronize()
                failures = 0
            except ExchangeError as error:
                failures += 1
                if failures == 1 or failures % FAILURES_A_WARNING == 0:
                    _log.warning("The exchange's time could not be asked: %s", error)
                await asyncio.sleep(pause_before(failures))
                continue
            await asyncio.sleep(SHORTEST_PAUSE_S)
            try:
                async with asyncio.timeout(self._every):
                    await self._ask.wait()
            except TimeoutError:
                continue
