"""Which aggregate ids of one symbol are here: contiguous, or with named gaps.

The exchange numbers the aggregate trades of a symbol without holes. So from the first id that
matters to the newest known one, an id has been seen, or it lies in an open gap, or in a gap that
the exchange itself was found to have (confirmed). Nothing else exists.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .trade import Trade


class Gap(NamedTuple):
    """Missing aggregate ids, both ends included."""

    from_id: int
    to_id: int

    @property
    def missing(self) -> int:
        """How many ids it spans."""
        return self.to_id - self.from_id + 1


class Continuity:
    """The ids of one symbol from `first_id` up to the high-water mark."""

    def __init__(
        self,
        first_id: int,
        high_water: int | None = None,
        gaps: Iterable[Gap] = (),
        confirmed: Iterable[Gap] = (),
    ) -> None:
        self.first_id = first_id
        """The first id that matters; lower ones are dropped."""
        self.high_water = first_id - 1 if high_water is None else high_water
        """The newest id that is known to exist."""
        self._open = sorted(gaps)
        self._confirmed = sorted(confirmed)

    @property
    def gaps(self) -> Sequence[Gap]:
        """The open gaps, oldest first."""
        return self._open

    @property
    def confirmed(self) -> Sequence[Gap]:
        """The gaps that the exchange itself has, oldest first."""
        return self._confirmed

    @property
    def last_complete(self) -> int | None:
        """The highest id up to which nothing is missing; None when the first is missing."""
        last = self._open[0].from_id - 1 if self._open else self.high_water
        return last if last >= self.first_id else None

    @property
    def held(self) -> int:
        """How many ids are here."""
        missing = sum(gap.missing for gap in (*self._open, *self._confirmed))
        return self.high_water - self.first_id + 1 - missing

    @property
    def lowest(self) -> int | None:
        """The lowest id that is here; None when there is none."""
        lowest = self.first_id
        for gap in sorted((*self._open, *self._confirmed)):
            if gap.from_id == lowest:
                lowest = gap.to_id + 1
        return lowest if lowest <= self.high_water else None

    @property
    def highest(self) -> int | None:
        """The highest id that is here; None when there is none."""
        highest = self.high_water
        for gap in sorted((*self._open, *self._confirmed), reverse=True):
            if gap.to_id == highest:
                highest = gap.from_id - 1
        return highest if highest >= self.first_id else None

    def admit(self, trades: Iterable[Trade]) -> list[Trade]:
        """The trades that were not here yet, in the order given; a jump opens a gap."""
        fresh: list[Trade] = []
        high = self.high_water
        for trade in trades:
            aggregate_id = trade.aggregate_id
            if aggregate_id == high + 1:
                high = aggregate_id
            elif aggregate_id > high:
                self._open.append(Gap(high + 1, aggregate_id - 1))
                high = aggregate_id
            elif not (
                aggregate_id >= self.first_id
                and (_take(self._open, aggregate_id) or _take(self._confirmed, aggregate_id))
            ):
                continue
            fresh.append(trade)
        self.high_water = high
        return fresh

    def reach(self, aggregate_id: int) -> None:
        """The exchange is known to have this id: what is not here up to it is a gap."""
        if aggregate_id > self.high_water:
            self._open.append(Gap(self.high_water + 1, aggregate_id))
            self.high_water = aggregate_id

    def extend_back(self, first_id: int) -> None:
        """Let the ids from `first_id` matter too."""
        if first_id < self.first_id:
            insort(self._open, Gap(first_id, self.first_id - 1))
            self.first_id = first_id

    def forget(self, first_id: int) -> None:
        """Let the ids before `first_id` matter no longer."""
        if first_id <= self.first_id:
            return
        self.first_id = first_id
        self.high_water = max(self.high_water, first_id - 1)
        for gaps in (self._open, self._confirmed):
            gaps[:] = [
                Gap(max(gap.from_id, first_id), gap.to_id) for gap in gaps if gap.to_id >= first_id
            ]

    def confirm(self, missing: Gap) -> None:
        """The exchange does not have these ids: where they are still open, they are confirmed."""
        for gap in list(self._open):
            start, end = max(gap.from_id, missing.from_id), min(gap.to_id, missing.to_id)
            if start > end:
                continue
            self._open.remove(gap)
            if gap.from_id < start:
                insort(self._open, Gap(gap.from_id, start - 1))
            if end < gap.to_id:
                insort(self._open, Gap(end + 1, gap.to_id))
            insort(self._confirmed, Gap(start, end))


def _take(gaps: list[Gap], aggregate_id: int) -> bool:
    """Whether the id lay in one of the gaps, which is then split around it."""
    index = bisect_right(gaps, aggregate_id, key=_from_id) - 1
    if index < 0 or gaps[index].to_id < aggregate_id:
        return False
    gap = gaps[index]
    rest = []
    if gap.from_id < aggregate_id:
        rest.append(Gap(gap.from_id, aggregate_id - 1))
    if aggregate_id < gap.to_id:
        rest.append(Gap(aggregate_id + 1, gap.to_id))
    gaps[index : index + 1] = rest
    return True


def _from_id(gap: Gap) -> int:
    return gap.from_id
