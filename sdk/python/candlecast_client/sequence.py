"""One sequence of candles from history and live updates, across reconnections.

Pure: no I/O and no clock. Messages go in; updates and the history to request come out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from .errors import CandlesMissing
from .generated.models import Candle

MINUTE_MS = 60_000
MAX_HISTORY = 1000
"""Candles in one history at most."""
REMEMBERED = MAX_HISTORY + 1
"""Closed candles remembered to distinguish corrections from what a history repeats."""

State = Literal["running", "closed", "corrected"]


@dataclass(frozen=True, slots=True)
class CandleUpdate:
    """The state of a candle.

    - `running`: the candle in progress; a newer update replaces this one.
    - `closed`: the candle has ended. Each comes once, in order, one timeframe after the last.
    - `corrected`: a candle that was delivered as closed has changed, because late or missing
      trades were found.
    """

    symbol: str
    timeframe: int
    candle: Candle
    state: State


class CandleSequence:
    """The state of one sequence.

    While `awaited` is above 0, a history of that many candles is requested or to be requested.
    """

    def __init__(self, symbol: str, timeframe: int, history: int) -> None:
        """`timeframe` is in minutes; `history` is how many candles to start with, 0 to 1000."""
        self.symbol = symbol
        self.timeframe = timeframe
        self.awaited = history
        self._step = timeframe * MINUTE_MS
        self._running: Candle | None = None
        self._first: int | None = None
        self._closed: dict[int, int] = {}

    def resume(self, elapsed_ms: int) -> int:
        """Handle a new connection; returns how many candles of history to request.

        `elapsed_ms` is the time since the last message. It only estimates how much was missed:
        if the history does not reach far enough back, a longer one is requested.
        """
        if self._running is not None:
            self.awaited = min(MAX_HISTORY, max(self.awaited, elapsed_ms // self._step + 2))
        return self.awaited

    def on_history(self, candles: Sequence[Candle], requested: int) -> list[CandleUpdate]:
        """Process a complete history, oldest first, the running candle last.

        Afterwards `awaited` is above 0 when it does not reach far enough back. Raises
        CandlesMissing when the server has none that does.
        """
        if not self.awaited or requested < self.awaited:
            return []  # a reply to another subscriber or to an earlier request
        if candles and self._running is not None:
            newest, first = self._running.candle_time, candles[0].candle_time
            if first > newest:
                if len(candles) < requested or requested >= MAX_HISTORY:
                    raise self._missing(first)
                self.awaited = self._reach(candles[-1].candle_time)
                return []
        self.awaited = 0
        updates: list[CandleUpdate] = []
        for candle in candles:
            if self._is_ahead(candle):
                raise self._missing(candle.candle_time)
            updates += self._accept(candle)
        return updates

    def on_update(self, candle: Candle) -> list[CandleUpdate]:
        """Process a live update; then `awaited` is above 0 when candles before it are missing."""
        if self.awaited:
            # The pending history is newer than this update, but may not reach as far back.
            running = self._running
            return (
                list(self._accept(candle))
                if running is not None and candle.candle_time < running.candle_time
                else []
            )
        if self._is_ahead(candle):
            self.awaited = self._reach(candle.candle_time)
            return []
        return list(self._accept(candle))

    def _accept(self, candle: Candle) -> Iterator[CandleUpdate]:
        """The updates to deliver for a candle that is known, running or next."""
        running = self._running
        if running is None or candle.candle_time > running.candle_time:
            if running is not None:
                self._remember(running)
                yield self._update(running, "closed")
            else:
                self._first = candle.candle_time
            self._running = candle
            yield self._update(candle, "running")
        elif candle.candle_time == running.candle_time:
            if candle != running:
                self._running = candle
                yield self._update(candle, "running")
        elif self._is_corrected(candle):
            self._closed[candle.candle_time] = _fingerprint(candle)
            yield self._update(candle, "corrected")

    def _is_corrected(self, candle: Candle) -> bool:
        """Whether a candle before the running one differs from what was delivered."""
        delivered = self._first is not None and candle.candle_time >= self._first
        return delivered and self._closed.get(candle.candle_time) != _fingerprint(candle)

    def _is_ahead(self, candle: Candle) -> bool:
        """Whether candles between the running one and this one are missing."""
        return (
            self._running is not None
            and candle.candle_time > self._running.candle_time + self._step
        )

    def _reach(self, newest: int) -> int:
        """Candles from the running one to the newest, and one that may begin meanwhile."""
        assert self._running is not None  # noqa: S101  # only called with a running candle
        return min(MAX_HISTORY, (newest - self._running.candle_time) // self._step + 2)

    def _remember(self, candle: Candle) -> None:
        self._closed[candle.candle_time] = _fingerprint(candle)
        if len(self._closed) > REMEMBERED:
            del self._closed[min(self._closed)]

    def _missing(self, to_time: int) -> CandlesMissing:
        assert self._running is not None  # noqa: S101  # only called with a running candle
        return CandlesMissing(self.symbol, self.timeframe, self._running.candle_time, to_time)

    def _update(self, candle: Candle, state: State) -> CandleUpdate:
        return CandleUpdate(self.symbol, self.timeframe, candle, state)


def _fingerprint(candle: Candle) -> int:
    """A hash that stands for a candle, which itself would take a kilobyte."""
    return hash(tuple(value for _, value in candle))
