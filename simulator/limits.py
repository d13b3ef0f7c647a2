"""Request weight, rate limit answers and the log of requests, by IP address."""

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from math import ceil
from typing import Final

LOG_SIZE: Final = 200_000
"""Requests kept in the log."""

GRACE_S: Final = 0.1
"""Requests that arrive so soon after the first 429 or 418 were under way already: not early."""

TOO_MANY: Final = 429
BANNED: Final = 418


@dataclass(frozen=True, slots=True)
class Limits:
    """What the exchange allows an IP address."""

    weight: int = 6000
    """Request weight in a window."""
    window_s: float = 60.0
    ban_after: int = 10
    """Requests against a running 429 until the address is banned."""
    ban_s: float = 120.0
    messages_per_s: int = 5
    """Incoming WebSocket messages, pings and pongs included."""
    streams: int = 1024
    """Streams of one connection."""
    connects: int = 300
    """Connection attempts in five minutes."""


@dataclass(frozen=True, slots=True)
class Logged:
    """A request as it arrived. `early` tells that a Retry-After had not run out."""

    time: float
    ip: str
    method: str
    path: str
    status: int
    weight: int
    retry_after: int | None
    early: bool


@dataclass(slots=True)
class _Visitor:
    window: int = -1
    used: int = 0
    blocked_status: int = 0
    blocked_at: float = 0.0
    blocked_until: float = 0.0
    ignored: int = 0
    connects: deque[float] = field(default_factory=deque)


class Gate:
    """Counts weight and decides who is told to wait. Times are in seconds of real time."""

    def __init__(self, limits: Limits, *, clock: Callable[[], float] = time.time) -> None:
        self.limits = limits
        self.log: deque[Logged] = deque(maxlen=LOG_SIZE)
        self.statuses: Counter[int] = Counter()
        self.early = 0
        self._visitors: dict[str, _Visitor] = {}
        self._clock = clock

    def used(self, ip: str) -> int:
        """Weight used in the running window."""
        visitor = self._visitor(ip)
        return visitor.used if visitor.window == self._window() else 0

    def charge(self, ip: str, weight: int) -> None:
        """Count a request's weight and block the address when it has used too much."""
        visitor, now, window = self._visitor(ip), self._clock(), self._window()
        if visitor.window != window:
            visitor.window, visitor.used = window, 0
        visitor.used += weight
        if visitor.used > self.limits.weight:
            self.block(ip, TOO_MANY, (window + 1) * self.limits.window_s - now)

    def block(self, ip: str, status: int, seconds: float) -> None:
        """Answer an address with 429 or 418 for so long, in whole seconds as it is told."""
        visitor = self._visitor(ip)
        visitor.blocked_status, visitor.ignored = status, 0
        visitor.blocked_at = self._clock()
        visitor.blocked_until = visitor.blocked_at + max(1, ceil(seconds))

    def blocked(self, ip: str) -> tuple[int, int] | None:
        """Give the status and Retry-After (whole seconds) of an address that has to wait."""
        visitor = self._visitor(ip)
        left = visitor.blocked_until - self._clock()
        return (visitor.blocked_status, max(1, ceil(left))) if left > 0 else None

    def ignored(self, ip: str) -> bool:
        """Count a request against a running block, and tell whether it was early.

        Too many requests against a 429 are a ban.
        """
        visitor = self._visitor(ip)
        early = self._clock() - visitor.blocked_at > GRACE_S
        visitor.ignored += 1
        if visitor.blocked_status == TOO_MANY and visitor.ignored >= self.limits.ban_after:
            self.block(ip, BANNED, self.limits.ban_s)
        return early

    def may_connect(self, ip: str) -> bool:
        """Count a connection attempt and tell whether it is within the limit."""
        connects, now = self._visitor(ip).connects, self._clock()
        while connects and connects[0] < now - 300:
            connects.popleft()
        connects.append(now)
        return len(connects) <= self.limits.connects

    def record(
        self, ip: str, method: str, path: str, *, status: int, weight: int = 0,
        retry_after: int | None = None, early: bool = False, arrived: float | None = None,
    ) -> None:  # fmt: skip
        """Write a request to the log."""
        at = self._clock() if arrived is None else arrived
        self.log.append(Logged(at, ip, method, path, status, weight, retry_after, early))
        self.statuses[status] += 1
        self.early += early

    def tail(self, count: int) -> list[dict[str, object]]:
        """Give the newest entries of the log, oldest first."""
        return [asdict(entry) for entry in list(self.log)[-count:]] if count else []

    def forget(self) -> None:
        """Lift every block and clear the log and the counters."""
        self.log.clear()
        self.statuses.clear()
        self.early = 0
        self._visitors.clear()

    def _visitor(self, ip: str) -> _Visitor:
        return self._visitors.setdefault(ip, _Visitor())

    def _window(self) -> int:
        return int(self._clock() // self.limits.window_s)
