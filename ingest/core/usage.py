"""Which pairs of symbol and timeframe are kept materialized: so many, of those that are used."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Hashable
from typing import Final, Generic, NamedTuple, TypeVar

LASTING_SECONDS: Final = 60.0
"""A pair that is watched for longer than this is kept."""

AGAIN_SECONDS: Final = 1.0
"""The same for one that was watched before: its first history has the engine first."""

REMEMBERED: Final = 10_000
"""Pairs that are remembered as watched before."""

P = TypeVar("P", bound=Hashable)


class Change(NamedTuple, Generic[P]):
    """Pairs to keep no longer, and one to keep from now on, if any."""

    drop: list[P]
    keep: P | None


class Usage(Generic[P]):
    """Remembers how pairs are used. Times are in seconds of a clock that never goes back."""

    def __init__(self, limit: int, idle_seconds: float, now: float) -> None:
        """At most `limit` pairs are kept, and none that nobody has watched for `idle_seconds`."""
        self._limit = limit
        self._idle_seconds = idle_seconds
        self._started = now
        self._due: dict[P, float] = {}
        """From when on each watched pair is to be kept."""
        self._released: OrderedDict[P, float] = OrderedDict()
        """When each other pair was watched last, the latest at the end."""

    def watched(self, pair: P, now: float) -> None:
        """Somebody watches a pair that nobody watched."""
        again = self._released.pop(pair, None) is not None
        self._due[pair] = now + (AGAIN_SECONDS if again else LASTING_SECONDS)

    def released(self, pair: P, now: float) -> None:
        """Nobody watches a pair any more."""
        del self._due[pair]
        self._released[pair] = now
        if len(self._released) > REMEMBERED:
            self._released.popitem(last=False)

    def change(self, kept: Collection[P], now: float, barred: Collection[P] = ()) -> Change[P]:
        """The next change to the pairs that are kept; asked for until there is none.

        A pair that is `barred` cannot be kept now, and stands in no other's way.

        When there is no room, the pair goes that was watched longest ago. One that is watched
        goes for no other.
        """
        idle = sorted((p for p in kept if p not in self._due), key=self._last_use)
        old = sum(now - self._last_use(pair) >= self._idle_seconds for pair in idle)
        wanted = (p for p, due in self._due.items() if due <= now and p not in kept)
        keep = next((p for p in wanted if p not in barred), None)
        excess = len(kept) + (keep is not None) - self._limit
        if excess > len(idle):
            keep, excess = None, excess - 1
        return Change(idle[: max(old, excess)], keep)

    def _last_use(self, pair: P) -> float:
        return self._released.get(pair, self._started)
