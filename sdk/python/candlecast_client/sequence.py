"""One sequence of candles out of history, live pictures and connections that come and go.

Pure: no I/O and no clock. Messages go in; what to hand over and what to ask for come out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from .errors import CandlesMissing
from .generated.models import Candle

MINUTE_MS = 60_000
MAX_HISTORY = 1000
"""Candles that can be asked for at once."""
REMEMBERED = MAX_HISTORY + 1
"""Closed candles that are remembered to tell repeats from corrections: all that history repeats."""

State = Literal["running", "closed", "corrected"]


@dataclass(frozen=True, slots=True)
class Picture:
    """A candle as it stands.

    - `running`: the candle in progress; newer pictures of it replace this one.
    - `closed`: the candle is over. Each comes once, in order, each one timeframe after the last.
    - `corrected`: a candle that was handed over as closed and has changed since: late or missing
      trades were found.
    """

    symbol: str
    timeframe: int
    candle: Candle
    state: State


class CandleSequence:
    """The state of one sequence.

    While `awaited` is above 0, history of so many candles has been asked for, or is to be.
    """

    def __init__(self, symbol: str, timeframe: int, history: int) -> None:
        """`timeframe` in minutes; `history` is how many candles to begin with, 0 to 1000."""
        self.symbol = symbol
        self.timeframe = timeframe
        self.awaited = history
        self._step = timeframe * MINUTE_MS
        self._running: Candle | None = None
        self._first: int | None = None
        self._closed: dict[int, int] = {}

    def resume(self, elapsed_ms: int) -> int:
        """A new connection is there: how many candles of history to ask for.

        `elapsed_ms` is the time since the last message. It is only a guess of how much was
        missed: what the history does not reach is asked for again.
        """
        if self._running is not None:
            self.awaited = min(MAX_HISTORY, max(self.awaited, elapsed_ms // self._step + 2))
        return self.awaited

    def on_history(self, candles: Sequence[Candle], requested: int) -> list[Picture]:
        """Complete history, oldest first, the running candle last.

        Afterwards `awaited` is above 0 when it did not reach far enough back. Raises
        CandlesMissing when the server has nothing that would.
        """
        if not self.awaited or requested < self.awaited:
            return []  # an answer to somebody else, or to an earlier question
        if candles and self._running is not None:
            newest, first = self._running.candle_time, candles[0].candle_time
            if first > newest:
                if len(candles) < requested or requested >= MAX_HISTORY:
                    raise self._missing(first)
                self.awaited = self._reach(candles[-1].candle_time)
                return []
        self.awaited = 0
        pictures: list[Picture] = []
        for candle in candles:
            if self._is_ahead(candle):
                raise self._missing(candle.candle_time)
            pictures += self._accept(candle)
        return pictures

    def on_update(self, candle: Candle) -> list[Picture]:
        """A live picture. Afterwards `awaited` is above 0 when candles before it are missing."""
        if self.awaited:
            # The history that is on its way is newer than this, but may not reach so far back.
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

    def _accept(self, candle: Candle) -> Iterator[Picture]:
        """Pictures to hand over for a candle that is known, running or next."""
        running = self._running
        if running is None or candle.candle_time > running.candle_time:
            if running is not None:
                self._remember(running)
                yield self._picture(running, "closed")
            else:
                self._first = candle.candle_time
            self._running = candle
            yield self._picture(candle, "running")
        elif candle.candle_time == running.candle_time:
            if candle != running:
                self._running = candle
                yield self._picture(candle, "running")
        elif self._is_corrected(candle):
            self._closed[candle.candle_time] = _fingerprint(candle)
            yield self._picture(candle, "corrected")

    def _is_corrected(self, candle: Candle) -> bool:
        """Whether a candle before the running one differs from what was handed over."""
        handed_over = self._first is not None and candle.candle_time >= self._first
        return handed_over and self._closed.get(candle.candle_time) != _fingerprint(candle)

    def _is_ahead(self, candle: Candle) -> bool:
        """Whether candles between the running one and this one are missing."""
        return (
            self._running is not None
            and candle.candle_time > self._running.candle_time + self._step
        )

    def _reach(self, newest: int) -> int:
        """Candles from the running one to the newest, and one for a boundary passed meanwhile."""
        assert self._running is not None  # noqa: S101  # only asked for when something ran before
        return min(MAX_HISTORY, (newest - self._running.candle_time) // self._step + 2)

    def _remember(self, candle: Candle) -> None:
        self._closed[candle.candle_time] = _fingerprint(candle)
        if len(self._closed) > REMEMBERED:
            del self._closed[min(self._closed)]

    def _missing(self, to_time: int) -> CandlesMissing:
        assert self._running is not None  # noqa: S101  # only asked for when something ran before
        return CandlesMissing(self.symbol, self.timeframe, self._running.candle_time, to_time)

    def _picture(self, candle: Candle, state: State) -> Picture:
        return Picture(self.symbol, self.timeframe, candle, state)


def _fingerprint(candle: Candle) -> int:
    """What a candle is known by: candles themselves would take a kilobyte each."""
    return hash(tuple(value for _, value in candle))
