"""The candle of a stream that runs, joined of the candles of its base."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ingest.core.candle import Candle, at, merge, merged
from ingest.core.interval import Interval
from ingest.core.timeframe import width_ms


class Shown(NamedTuple):
    """A candle as it is now, or for the last time."""

    candle: Candle
    is_closed: bool


class Running:
    """The bucket of an interval that runs, and the candles of the base that it has so far."""

    def __init__(self, interval: Interval) -> None:
        self._interval = interval
        self._width = width_ms(interval.base)
        self._start = -1
        self._last = -1
        """The time of the newest part."""
        self._parts: dict[int, Candle] = {}
        self._others: Candle | None = None
        """All parts but the newest, merged; None until they are needed."""

    @property
    def whole(self) -> Candle | None:
        """The candle of the bucket; None while parts of it are missing."""
        parts, start = self._parts, self._start
        if not parts or len(parts) != (self._last - start) // self._width + 1:
            return None
        if self._others is None:
            self._others = merged((c for t, c in parts.items() if t != self._last), start)
        newest, others = parts[self._last], self._others
        return at(newest, start) if others is None else merge(others, newest, start)

    def restart(self, candles: Iterable[Candle]) -> None:
        """Take these candles, in order, for all that there is of the bucket of the last one."""
        self._parts.clear()
        for candle in candles:
            start = self._interval.start(candle.candle_time)
            if start != self._start:
                self._begin(start)
            self._set(candle)

    def take(self, candles: Iterable[Candle]) -> Iterator[Shown]:
        """Take candles that have changed, in order; yields what there is to show.

        Each bucket is closed once: what changes of it later is not shown again.
        """
        has_changed = False
        for candle in candles:
            start = self._interval.start(candle.candle_time)
            if start < self._start:
                continue
            if start > self._start:
                if (whole := self.whole) is not None:
                    yield Shown(whole, is_closed=True)
                self._begin(start)
            self._set(candle)
            has_changed = True
        if has_changed and (whole := self.whole) is not None:
            yield Shown(whole, is_closed=False)

    def _begin(self, start: int) -> None:
        self._start, self._last, self._others = start, -1, None
        self._parts.clear()

    def _set(self, candle: Candle) -> None:
        if candle.candle_time != self._last:
            self._others = None
            self._last = max(self._last, candle.candle_time)
        self._parts[candle.candle_time] = candle
