"""The candles of one pair as a client gets them, each checked against the truth."""

from __future__ import annotations

from tests.world.messages import Candle, History, Update
from tests.world.truth import Shown, Truth, Wrong


class Watched:
    """The messages of one pair on one connection, each checked against the one before."""

    def __init__(self, truth: Truth, minutes: int, skew_ms: int) -> None:
        self.last_at = 0.0
        """When the last message came."""
        self.is_provisional = False
        """Whether the last history was sent while the data was not complete."""
        self.is_complete = False
        self.given: dict[int, Shown] = {}
        """The last word on each candle."""
        self._truth = truth
        self._minutes = minutes
        self._skew_ms = skew_ms
        self._ids: dict[int, int] = {}
        """The newest id of each candle since the data was complete."""

    def update(self, update: Update) -> None:
        """Take a live candle."""
        is_complete = update.data_status.check(has_data=update.data is not None)
        if not is_complete:
            self._ids.clear()
        self.is_complete = is_complete
        if update.data is not None:
            candle = update.data.shown
            newest = max(self._ids, default=None)
            if newest is not None and newest < candle.candle_time:
                self._check(self.given[newest], closed=True)
            self._take(candle, closed=newest is not None and candle.candle_time < newest)

    def history(self, history: History) -> None:
        """Take a history."""
        is_complete = history.data_status.check()
        self.is_provisional = not is_complete
        candles = history.candles
        if len(candles) != history.actual_candles or len(candles) > history.requested_candles:
            raise Wrong(f"a history has not so many candles as it says: {history}")
        if candles and not is_complete:
            raise Wrong(f"a history that is not complete has candles: {history}")
        self._ids.clear()
        self.is_complete = is_complete
        self.page(candles)

    def page(self, candles: list[Candle]) -> None:
        """Take candles in a row, of which the last one may be running."""
        width = self._minutes * 60_000
        for at, candle in enumerate(candles):
            if candle.candle_time != candles[0].candle_time + at * width:
                raise Wrong(f"a history leaves out a candle before {candle.candle_time}")
            self._take(candle.shown, closed=at + 1 < len(candles))

    def _take(self, candle: Shown, *, closed: bool) -> None:
        start = candle.candle_time
        newest = self._check(candle, closed=closed)
        if newest < self._ids.get(start, -1):
            raise Wrong(f"a candle goes back from id {self._ids[start]} to {newest}: {candle}")
        self._ids[start] = newest
        self.given[start] = candle

    def _check(self, candle: Shown, *, closed: bool) -> int:
        end = candle.candle_time + self._minutes * 60_000 - self._skew_ms
        return self._truth.check(self._minutes, candle, closed_by_ms=end if closed else None)
