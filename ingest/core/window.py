"""Sums over the latest minutes of a symbol, such as the last 24 hours.

The stored minutes are kept here, up to the watermark, and summed up once a minute; what is live
is merged in on each question.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .candle import Candle, at, merge, merged

MAX_STARTS = 8
"""Sums that are kept at a time; a window slides on once a minute."""


class MinuteWindow:
    """The minutes of one symbol from some time on, quiet ones flat."""

    def __init__(self) -> None:
        self.until = 0
        """The watermark, in milliseconds, up to which stored minutes are here."""
        self._minutes: dict[int, Candle] = {}
        self._sums: dict[int, Candle | None] = {}

    def take(self, minutes: Iterable[Candle], until: int, start: int) -> None:
        """Take over stored minutes, so that all from `start` to `until` are here (ms)."""
        self._minutes |= {candle.candle_time: candle for candle in minutes}
        self._minutes = {t: c for t, c in self._minutes.items() if start <= t < until}
        self._sums.clear()
        self.until = until

    def minute(self, time_ms: int) -> Candle | None:
        """The stored minute that starts at a time, where it is here."""
        return self._minutes.get(time_ms)

    def since(self, start: int, live: Mapping[int, Candle]) -> Candle | None:
        """The candle of all minutes from `start` (ms) on; None when there never was a trade.

        `live` are the minutes from the watermark on.
        """
        if start not in self._sums:
            if len(self._sums) >= MAX_STARTS:
                self._sums.clear()
            kept = (candle for time, candle in self._minutes.items() if time >= start)
            self._sums[start] = merged(kept, start)
        total = self._sums[start]
        for time, candle in live.items():
            if time >= start:
                total = at(candle, start) if total is None else merge(total, candle, start)
        return total
