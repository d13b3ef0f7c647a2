"""The exchange's clock: the one that opens and closes candles.

It follows the server time of the exchange, and runs on by this machine's monotonic clock between
samples. The times of trades push it too, so that a replay of 2019 at any speed runs in 2019. A
server time that jumps is believed only with a witness: the time of a trade that has just come, or
this machine's own clock where no such trade is against it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Final, NamedTuple

from ingest.core.errors import ExchangeError, ExchangeUnavailable, NotReady

from .limits import pause_before
from .now import host_ms, now_s

SAMPLES: Final = 3
"""Samples at a time; the middle one is used."""

MAX_LEAD_MS: Final = 1_000
"""How far trades alone may push the clock between two samples. Beyond it the exchange itself is
asked, or one wrong trade could close every candle."""

RESET_MS: Final = 60_000
"""A clock that is ahead by no more holds still until the exchange has caught up; one that is
further ahead is set back: the exchange is another one now, such as a restarted replay."""

MAX_STEP_MS: Final = 2_000
"""How far a server time may be ahead of what the sample before it lets expect."""

HALF_TRIP_S: Final = 0.5
"""How long before it came an answer was given, at most: a request may have waited for its weight,
and a clock that is behind closes no candle too early."""

AGREEMENT_MS: Final = 60_000
"""How far a server time may be from the witness for it."""

WITNESS_S: Final = 30.0
"""How long the time of a trade bears witness."""

BELIEVED_AFTER_S: Final = 300.0
"""A jump that the server repeats for so long, and no trade refutes, is believed alone."""

FAILURES_A_WARNING: Final = 30
"""Failures in a row between two warnings, so that an outage does not fill the log."""

SHORTEST_PAUSE_S: Final = 0.5
"""Between two rounds of samples."""

_log = logging.getLogger(__name__)


class Verdict(Enum):
    """How a server time was taken."""

    FOLLOWED = "the clock follows it"
    SET_BACK = "the clock was set back to it"
    REFUSED = "it jumps and nothing else says so"


class ClockEstimate:
    """An estimate of the exchange's time. Pure: `now` is seconds on a monotonic clock."""

    def __init__(self) -> None:
        self._sampled_at = 0.0
        self._sampled_ms: float | None = None
        self._lead_ms = 0.0
        self._shown = 0
        self._trade: tuple[float, int] | None = None
        """When the newest trade came, and its time."""
        self._claim: tuple[float, float] | None = None
        """The server time that is refused, as it was at 0 s, and since when it was not refuted."""

    @property
    def is_set(self) -> bool:
        """Whether a sample was taken."""
        return self._sampled_ms is not None

    def at(self, now: float) -> int:
        """The exchange's time in milliseconds; never less than what was said before."""
        self._shown = max(self._shown, int(self._expected(now) + self._lead_ms))
        return self._shown

    def latest(self, now: float) -> int:
        """The latest that the exchange's time may be: a time that is refused may yet be right."""
        claimed = self._claim[0] + now * 1000 if self._claim is not None else 0
        return max(self.at(now), int(claimed))

    def _expected(self, now: float) -> float:
        if self._sampled_ms is None:
            raise NotReady("The exchange's time is not known yet: ask again when it has answered")
        return self._sampled_ms + (now - self._sampled_at) * 1000

    def sample(
        self, sent: float, received: float, server_ms: int, host_ms: int | None = None
    ) -> Verdict:
        """Follow a server time asked for at `sent` and answered at `received`, if it is plausible.

        `host_ms` is this machine's own time.
        """
        middle = _answered(sent, received)
        if self._sampled_ms is not None:
            believed = self._believed(middle, server_ms, host_ms)
            if believed is None:
                self._claim_again(middle, server_ms)
                return Verdict.REFUSED
            server_ms = believed
        self._claim = None
        self._sampled_at, self._sampled_ms = middle, float(server_ms)
        self._lead_ms = 0.0
        if self._shown - self._expected(received) <= RESET_MS:
            return Verdict.FOLLOWED
        self._shown = int(self._expected(received))
        return Verdict.SET_BACK

    def _believed(self, now: float, server_ms: int, host_ms: int | None) -> int | None:
        """The time to follow when the server gives this one; None to refuse it.

        Where the server is ahead of its witness too, as that of a fast replay may be, the clock
        follows the witness: it is never put ahead of both.
        """
        expected = self._expected(now)
        if -RESET_MS <= server_ms - expected <= MAX_STEP_MS:
            return server_ms
        trade_ms = self._trade_ms(now)
        is_refuted = trade_ms is not None and abs(trade_ms - server_ms) > AGREEMENT_MS
        if (
            host_ms is not None
            and not is_refuted
            and any(
                abs(host_ms - server_ms) <= tolerance < abs(host_ms - expected)
                for tolerance in (MAX_STEP_MS, AGREEMENT_MS)
            )
        ):
            return min(server_ms, host_ms) if server_ms > expected else server_ms
        if self._claim is not None and now - self._claim[1] >= BELIEVED_AFTER_S:
            return server_ms if abs(self._claim[0] + now * 1000 - server_ms) < MAX_STEP_MS else None
        if trade_ms is None:
            return None
        if server_ms < expected:
            return server_ms if abs(trade_ms - server_ms) <= AGREEMENT_MS else None
        if trade_ms <= expected:
            return None
        return min(server_ms, int(trade_ms))

    def _trade_ms(self, now: float) -> float | None:
        """The exchange's time by the newest trade, if that came lately."""
        if self._trade is None or now - self._trade[0] > WITNESS_S:
            return None
        return self._trade[1] + (now - self._trade[0]) * 1000

    def _claim_again(self, now: float, server_ms: int) -> None:
        """Note a refused time; a different one before, or a trade against it, makes it new."""
        at_zero = server_ms - now * 1000
        if self._claim is None or abs(self._claim[0] - at_zero) >= MAX_STEP_MS:
            self._claim = at_zero, now
        elif self._trade is not None and self._trade[0] > self._claim[1]:
            self._claim = self._claim[0], now

    def witness(self, now: float, time_ms: int) -> None:
        """Note the time of a trade that has just come."""
        self._trade = now, time_ms

    def observe(self, now: float, time_ms: int) -> bool:
        """Let the time of a trade push the clock; returns whether the exchange must be asked."""
        if self._sampled_ms is None:
            return True
        lead = time_ms - self._expected(now)
        self._lead_ms = max(self._lead_ms, min(lead, MAX_LEAD_MS))
        return lead > MAX_LEAD_MS


class _Sample(NamedTuple):
    """A server time, and when it was asked for and answered."""

    sent: float
    received: float
    server_ms: int

    @property
    def offset_ms(self) -> float:
        """How far the exchange is ahead of the monotonic clock."""
        return self.server_ms - _answered(self.sent, self.received) * 1000

    def until(self, now: float) -> _Sample:
        """The same as if it had just come: others of its round may have waited for their weight."""
        passed = max(0.0, now - self.received)
        return _Sample(
            self.sent + passed, self.received + passed, self.server_ms + round(passed * 1000)
        )


def _answered(sent: float, received: float) -> float:
    """When the server read its clock: halfway, unless the answer took long."""
    return max((sent + received) / 2, received - HALF_TRIP_S)


def _agrees(server_ms: int, host_ms: int) -> bool:
    """Whether a first server time agrees with this machine's."""
    return -AGREEMENT_MS <= server_ms - host_ms <= MAX_STEP_MS


def _borne_out(server_ms: int, host_ms: int, trade_ms: int) -> int | None:
    """A first server time as far as this machine's time and the newest trade bear it out; None when
    they contradict it.

    A time well before this machine's may be that of a replay. One that is a little ahead is
    followed as far as a trade says so.
    """
    if _agrees(server_ms, host_ms):
        return server_ms
    if abs(server_ms - trade_ms) <= AGREEMENT_MS and (trade_ms > host_ms or server_ms < host_ms):
        return server_ms if server_ms < host_ms else min(server_ms, trade_ms)
    if trade_ms <= server_ms <= host_ms:
        return server_ms
    if host_ms < server_ms <= host_ms + AGREEMENT_MS and trade_ms <= host_ms:
        return host_ms
    return None


async def _no_trade() -> int | None:
    return None


class ExchangeClock:
    """Keeps a ClockEstimate in step with `server_time`, in milliseconds."""

    def __init__(
        self,
        server_time: Callable[[], Awaitable[int]],
        *,
        every: float = 5.0,
        on_reset: Callable[[int], None] | None = None,
        newest_trade_ms: Callable[[], Awaitable[int | None]] = _no_trade,
        monotonic: Callable[[], float] = now_s,
        host_ms: Callable[[], int] = host_ms,
    ) -> None:
        """`every` is in seconds; `on_reset` gets the new time when the clock was set back.

        `newest_trade_ms` asks for the time of a trade as a witness, where there is one.
        """
        self._host_ms = host_ms
        self._refused = 0
        self._server_time = server_time
        self._every = every
        self._on_reset = on_reset
        self._newest_trade_ms = newest_trade_ms
        self._contradicted_since: float | None = None
        self._trade_before_ms = 0
        """The newest trade when a first sample was contradicted last."""
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

    def latest_ms(self) -> int:
        """The latest that the exchange's time may be: no real trade is far ahead of it."""
        return self._estimate.latest(self._monotonic())

    def witness(self, time_ms: int) -> None:
        """Let the time of a trade that has just come bear witness for a server time that jumps."""
        self._estimate.witness(self._monotonic(), time_ms)

    def observe(self, time_ms: int) -> None:
        """Let the time of the newest trade push the clock."""
        if self._estimate.observe(self._monotonic(), time_ms):
            self._ask.set()

    async def ready(self) -> None:
        """Wait until the exchange's time is known."""
        await self._ready.wait()

    async def synchronize(self) -> None:
        """Take a round of samples and follow the middle one; raises ExchangeError."""
        first = await self._round()
        if not self._estimate.is_set:
            first = await self._held_to_witnesses(first)
        verdict = self._estimate.sample(*first, self._host_ms())
        if verdict is Verdict.SET_BACK:
            _log.warning("The exchange's clock was set back to %d ms", first.server_ms)
            if self._on_reset is not None:
                self._on_reset(first.server_ms)
        elif verdict is Verdict.REFUSED:
            self._refused += 1
            if self._refused == 1 or self._refused % FAILURES_A_WARNING == 0:
                _log.warning("The exchange's time is not believed: %d ms", first.server_ms)
        else:
            self._refused = 0
        self._ready.set()

    async def _held_to_witnesses(self, first: _Sample) -> _Sample:
        """The first sample, as far as this machine's time and the newest trade bear it out.

        One that is contradicted is believed when it goes on for long, but not while trades refute
        it that were made since the last such sample, whatever this machine's time is by then.
        Raises ExchangeError.
        """
        host_ms = self._host_ms()
        if self._contradicted_since is None and _agrees(first.server_ms, host_ms):
            return first
        if abs(first.server_ms - host_ms) > AGREEMENT_MS:
            first = await self._round()  # it has to be said twice
        server_ms, host_ms = first.server_ms, self._host_ms()
        trade_ms = await self._newest_trade_ms() or 0
        is_new = 0 < self._trade_before_ms < trade_ms
        is_refuted = is_new and abs(server_ms - trade_ms) > AGREEMENT_MS
        time_ms = None if is_refuted else _borne_out(server_ms, host_ms, trade_ms)
        if time_ms is not None:
            return first._replace(server_ms=time_ms)
        self._trade_before_ms = trade_ms
        if self._contradicted_since is None or is_refuted:
            self._contradicted_since = first.received
        if first.received - self._contradicted_since < BELIEVED_AFTER_S:
            raise ExchangeUnavailable(
                f"The exchange's time, {server_ms} ms, agrees neither with this machine's nor with"
                " the newest trade: set this machine's clock if it is wrong"
            )
        return first

    async def _round(self) -> _Sample:
        """The sample in the middle of a few: a single wrong one does not count."""
        samples = []
        for _ in range(SAMPLES):
            sent = self._monotonic()
            server_ms = await self._server_time()
            samples.append(_Sample(sent, self._monotonic(), server_ms))
        middle = sorted(samples, key=lambda sample: sample.offset_ms)[SAMPLES // 2]
        return middle.until(self._monotonic())

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
