"""Which aggregate ids of one symbol are here: contiguous, or with named gaps.

The exchange numbers the aggregate trades of a symbol without holes. So from the first id that
matters to the newest known one, an id has been seen, or it is missing: open, unreadable, or
confirmed to be absent at the exchange itself. Nothing else exists.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence

from generated.native.facts import GapKind

from .missing import Gap, Missing, changed, joined
from .trade import Trade

__all__ = ["Continuity", "Gap"]


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
        self._missing = sorted(
            [Missing(*gap) for gap in gaps]
            + [Missing(*gap, GapKind.CONFIRMED) for gap in confirmed]
        )

    @property
    def missing(self) -> Sequence[Missing]:
        """All missing ids, lowest first."""
        return self._missing

    @property
    def gaps(self) -> list[Gap]:
        """The gaps that are waited for, open or unreadable, oldest first."""
        return self._gaps(lambda kind: kind is not GapKind.CONFIRMED)

    @property
    def unreadable(self) -> list[Gap]:
        """Those of `gaps` that the exchange gives no valid trades for."""
        return self._gaps(lambda kind: kind is GapKind.UNREADABLE)

    @property
    def confirmed(self) -> list[Gap]:
        """The gaps that the exchange itself has, oldest first."""
        return self._gaps(lambda kind: kind is GapKind.CONFIRMED)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is waited for."""
        return not self._missing or all(item.kind is GapKind.CONFIRMED for item in self._missing)

    @property
    def last_complete(self) -> int | None:
        """The highest id up to which nothing is waited for; None when the first is."""
        waiting = (item for item in self._missing if item.kind is not GapKind.CONFIRMED)
        first = next(waiting, None)
        last = first.from_id - 1 if first is not None else self.high_water
        return last if last >= self.first_id else None

    @property
    def held(self) -> int:
        """How many ids are here."""
        missing = sum(item.to_id - item.from_id + 1 for item in self._missing)
        return self.high_water - self.first_id + 1 - missing

    @property
    def lowest(self) -> int | None:
        """The lowest id that is here; None when there is none."""
        lowest = self.first_id
        for item in self._missing:
            if item.from_id != lowest:
                break
            lowest = item.to_id + 1
        return lowest if lowest <= self.high_water else None

    @property
    def highest(self) -> int | None:
        """The highest id that is here; None when there is none."""
        highest = self.high_water
        for item in reversed(self._missing):
            if item.to_id != highest:
                break
            highest = item.from_id - 1
        return highest if highest >= self.first_id else None

    def lacks(self, aggregate_id: int) -> bool:
        """Whether this id matters and is missing."""
        return self._index(aggregate_id) is not None

    def admit(self, trades: Sequence[Trade]) -> Sequence[Trade]:
        """The trades that were not here yet, in the order given; a jump opens a gap.

        When one that was unreadable has come, the others are due at once.
        """
        following = self.high_water + 1
        for trade in trades:
            if trade.aggregate_id != following:
                return self._admit_each(trades)
            following += 1
        self.high_water = following - 1
        return trades  # the usual case: all of them, and nothing between

    def _admit_each(self, trades: Sequence[Trade]) -> list[Trade]:
        """The same, trade by trade."""
        fresh: list[Trade] = []
        high, is_readable = self.high_water, False
        for trade in trades:
            aggregate_id = trade.aggregate_id
            if aggregate_id == high + 1:
                high = aggregate_id
            elif aggregate_id > high:
                self._missing.append(Missing(high + 1, aggregate_id - 1))
                high = aggregate_id
            elif aggregate_id < self.first_id or (kind := self._take(aggregate_id)) is None:
                continue
            elif kind is GapKind.UNREADABLE:
                is_readable = True
            fresh.append(trade)
        self.high_water = high
        if is_readable:
            self._missing = [
                item._replace(due=0.0) if item.kind is GapKind.UNREADABLE else item
                for item in self._missing
            ]
        return fresh

    def reach(self, aggregate_id: int) -> None:
        """The exchange is known to have this id: what is not here up to it is a gap."""
        if aggregate_id > self.high_water:
            self._missing = joined([*self._missing, Missing(self.high_water + 1, aggregate_id)])
            self.high_water = aggregate_id

    def retract(self, aggregate_id: int) -> bool:
        """The exchange has no id above this one: forget those that are only missing.

        Returns whether all ids above it were missing, and so are forgotten.
        """
        highest = self.highest
        if aggregate_id >= self.high_water or aggregate_id < self.first_id - 1:
            return False
        if highest is not None and highest > aggregate_id:
            return False
        self._change(Gap(aggregate_id + 1, self.high_water), lambda _: None)
        self.high_water = aggregate_id
        return True

    def extend_back(self, first_id: int) -> None:
        """Let the ids from `first_id` matter too."""
        if first_id < self.first_id:
            self._missing.insert(0, Missing(first_id, self.first_id - 1))
            self.first_id = first_id

    def take_over(self, first_id: int, absent: Iterable[Gap]) -> None:
        """The ids from `first_id` on are here too, but for those that the exchange lacks."""
        if first_id < self.first_id:
            known = [Missing(*gap, GapKind.CONFIRMED) for gap in sorted(absent)]
            self._missing = joined([*known, *self._missing])
            self.first_id = first_id

    def forget(self, first_id: int) -> None:
        """Let the ids before `first_id` matter no longer."""
        if first_id <= self.first_id:
            return
        self._change(Gap(self.first_id, first_id - 1), lambda _: None)
        self.first_id = first_id
        self.high_water = max(self.high_water, first_id - 1)

    def confirm(self, gap: Gap) -> None:
        """The exchange is known not to have these ids."""
        self._change(gap, lambda item: Missing(item.from_id, item.to_id, GapKind.CONFIRMED, 0))

    def mark_absent(self, gap: Gap, now: float, confirm_s: float) -> list[Missing]:
        """An answer passed over these ids; returns those that are confirmed by it."""
        confirmed: list[Missing] = []

        def change(item: Missing) -> Missing:
            after = item.absent(now, confirm_s)
            if after.kind is GapKind.CONFIRMED and item.kind is not GapKind.CONFIRMED:
                confirmed.append(item)
            return after

        self._change(gap, change)
        return confirmed

    def mark_unreadable(self, gap: Gap, now: float) -> None:
        """An answer had these ids, and no valid trades for them."""
        self._change(gap, lambda item: item.unreadable(now))

    def mark_silent(self, gap: Gap, now: float) -> None:
        """An answer had nothing to say of these ids, though it was asked for them."""
        self._change(gap, lambda item: item.silent(now))

    def due(self, now: float) -> list[Missing]:
        """The missing ids that are to be asked for now, lowest first."""
        return [item for item in self._missing if item.due <= now]

    @property
    def next_due(self) -> float | None:
        """When missing ids are to be asked for next; None when none are missing."""
        return min((item.due for item in self._missing), default=None)

    def _gaps(self, wanted: Callable[[GapKind], bool]) -> list[Gap]:
        return [item.gap for item in self._missing if wanted(item.kind)]

    def _change(self, gap: Gap, change: Callable[[Missing], Missing | None]) -> None:
        self._missing = joined(changed(self._missing, gap, change))

    def _index(self, aggregate_id: int) -> int | None:
        """Where in `_missing` the id lies, if it does."""
        index = bisect_right(self._missing, aggregate_id, key=_from_id) - 1
        return index if index >= 0 and self._missing[index].to_id >= aggregate_id else None

    def _take(self, aggregate_id: int) -> GapKind | None:
        """Of which kind the id was missing, if it was; what is around it still is."""
        index = self._index(aggregate_id)
        if index is None:
            return None
        item = self._missing[index]
        rest = []
        if item.from_id < aggregate_id:
            rest.append(item._replace(to_id=aggregate_id - 1))
        if aggregate_id < item.to_id:
            rest.append(item._replace(from_id=aggregate_id + 1))
        self._missing[index : index + 1] = rest
        return item.kind


def _from_id(item: Missing) -> int:
    return item.from_id
