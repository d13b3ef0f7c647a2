"""A consumer's place in the candles of a timeframe: those it has taken, those it has yet to take.

A frame holds what is true, a cursor what one consumer has been given of it. So consumers come and
go, and take at their own pace, without knowing of each other.
"""

from __future__ import annotations

from collections.abc import Iterable

from .candle import Candle

MAX_CATCH_UP_CANDLES = 1000
"""After a jump of the clock over more candles than this, only the newest are taken."""


class Cursor:
    """One consumer of a frame."""

    def __init__(self, *, repeats_open: bool = False) -> None:
        """With `repeats_open` the open candle is taken each time, changed or not."""
        self._repeats_open = repeats_open
        self.has_past = False
        """Whether the consumer was given candles of before, by this cursor or in a history."""
        self._taken: dict[int, Candle] = {}
        self._settled: list[Candle] = []
        """Those that went to the store, or were corrected there, and are yet to be taken."""

    def take(self, candles: Iterable[Candle]) -> list[Candle]:
        """Each candle that is new or has changed, oldest first; `candles` are those of the frame
        now, the open one last."""
        changed, self._settled = self._settled, []
        candle: Candle | None = None
        for candle in candles:
            if self._taken.get(candle.candle_time) != candle:
                self._taken[candle.candle_time] = candle
                changed.append(candle)
        is_given = bool(changed) and changed[-1] is candle
        if self._repeats_open and candle is not None and not is_given:
            changed.append(candle)
        return changed[-MAX_CATCH_UP_CANDLES:]

    def skip(self, candles: Iterable[Candle]) -> None:
        """Take these candles without giving them: the consumer has them from elsewhere."""
        self.has_past = True
        self._taken.update((candle.candle_time, candle) for candle in candles)

    def leave(self, candles: Iterable[Candle], bucket: int) -> None:
        """These candles, all before `bucket`, are the store's from now on."""
        for candle in candles:
            if self._taken.get(candle.candle_time) != candle:
                self._settled.append(candle)
        del self._settled[:-MAX_CATCH_UP_CANDLES]
        self._taken = {start: taken for start, taken in self._taken.items() if start >= bucket}

    def correct(self, candles: Iterable[Candle]) -> None:
        """These candles of the store have changed, and replace those that were yet to be taken.

        A consumer that has no past gets them in its first history.
        """
        self._settled = list(candles)[-MAX_CATCH_UP_CANDLES:] if self.has_past else []

    def due_from(self, changed_from: int) -> int:
        """The first candle to give again when the store has changed from `changed_from` on."""
        return min([changed_from, *(candle.candle_time for candle in self._settled)])
