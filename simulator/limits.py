"""Request weight, rate limits and the request log, by IP address."""

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from math import ceil
from typing import Final

LOG_SIZE: Final = 200_000
"""Requests kept in the log."""

GRACE_S: Final = 0.1
"""Requests this soon after the first 429 or 418 were already in flight: not early."""

TOO_MANY: Final = 429
BANNED: Final = 418


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of an IP address."""

    weight: int = 6000
    """Request weight in a window."""
    window_s: float = 60.0
    ban_after: int = 10
    """Requests during a 429 until the address is banned."""
    ban_s: float = 120.0
    messages_per_s: int = 5
    """Incoming WebSocket messages, pings and pongs included."""
    streams: int = 1024
    """Streams of one connection."""
    connects: int = 300
    """Connection attempts in five minutes."""


@dataclass(frozen=True, slots=True)
class Logged:
    """A logged request. `early` means that a Retry-After had not expired."""

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
    """Counts request weight and blocks addresses. Times are in seconds of real time."""

    def __init__(self, limits: Limits, *, clock: Callable[[], float] = time.time) -> None:
        self.limits = limits
        self.log: deque[Logged] = deque(maxlen=LOG_SIZE)
        self.statuses: Counter[int] = Counter()
        self.early = 0
        self._visitors: dict[str, _Visitor] = {}
        self._clock = clock

    def used(self, ip: str) -> int:
        """Return the weight used in the current window."""
        visitor = self._visitor(ip)
        return visitor.used if visitor.window == self._window() else 0

    def charge(self, ip: str, weight: int) -> None:
        """Count a request's weight; block the address when it exceeds the limit."""
        visitor, now, window = self._visitor(ip), self._clock(), self._window()
        if visitor.window != window:
            visitor.window, visitor.used = window, 0
        visitor.used += weight
        if visitor.used > self.limits.weight:
            self.block(ip, TOO_MANY, (window + 1) * self.limits.window_s - now)

    def block(self, ip: str, status: int, seconds: float) -> None:
        """Respond to an address with 429 or 418 for `seconds`, rounded up as in Retry-After."""
        visitor = self._visitor(ip)
        visitor.blocked_status, visitor.ignored = status, 0
        visitor.blocked_at = self._clock()
        visitor.blocked_until = visitor.blocked_at + max(1, ceil(seconds))

    def blocked(self, ip: str) -> tuple[int, int] | None:
        """Return the status and Retry-After (whole seconds) of a blocked address."""
        visitor = self._visitor(ip)
        left = visitor.blocked_until - self._clock()
        return (visitor.blocked_status, max(1, ceil(left))) if left > 0 else None

    def ignored(self, ip: str) -> bool:
        """Count a request of a blocked address; return whether it was early.

        Too many requests during a 429 lead to a ban.
        """
        visitor = self._visitor(ip)
        early = self._clock() - visitor.blocked_at > GRACE_S
        visitor.ignored += 1
        if visitor.blocked_status == TOO_MANY and visitor.ignored >= self.limits.ban_after:
            self.block(ip, BANNED, self.limits.ban_s)
        return early

    def may_connect(self, ip: str) -> bool:
        """Count a connection attempt; return whether it is within the limit."""
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
        """Return the newest entries of the log, oldest first."""
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
