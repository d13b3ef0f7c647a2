"""One answer of the exchange to a request for trades: its rows, and what they say of the ids."""

from __future__ import annotations

from typing import Final, NamedTuple

from ingest.core.continuity import Gap
from ingest.core.errors import MalformedTrade
from ingest.core.trade import Trade

MAX_ROWS: Final = 1000
"""The most trades or klines in one answer."""


class Malformed(NamedTuple):
    """A message or row that is no valid trade: the bytes as they came and what is wrong.

    `symbol` and `aggregate_id` are None where they cannot be read either.
    """

    symbol: str | None
    raw: bytes
    error: MalformedTrade
    aggregate_id: int | None = None


class Reading(NamedTuple):
    """The ids that were asked for, as a page answers."""

    trades: list[Trade]
    """Those with an id that was asked for."""
    absent: list[Gap]
    """Ids that the page passes over though it has a later one."""
    unreadable: list[Gap]
    """Ids of rows that are there and are no valid trades."""
    next_id: int | None
    """The first asked id of which it says nothing; None when it answers for all of them."""


class Page(NamedTuple):
    """The rows of one REST answer: the valid ones in the order given, and the others."""

    trades: list[Trade]
    malformed: list[Malformed]
    trailing: int = 0
    """How many rows come after the last one whose id can be read."""

    @property
    def ids(self) -> list[int]:
        """The ids of all rows whose id can be read, ascending."""
        ids = {trade.aggregate_id for trade in self.trades}
        ids.update(row.aggregate_id for row in self.malformed if row.aggregate_id is not None)
        return sorted(ids)

    @property
    def nameless(self) -> int:
        """How many rows have an id that cannot be read."""
        return sum(row.aggregate_id is None for row in self.malformed)

    @property
    def first_id(self) -> int | None:
        """The lowest id of all rows; None when none can be read."""
        return min(self.ids, default=None)

    @property
    def last_id(self) -> int | None:
        """The highest id of all rows; None when none can be read."""
        return max(self.ids, default=None)

    def reading(self, asked: Gap) -> Reading:
        """Sort the ids in `asked` by the page, which answers `fromId=asked.from_id`.

        Where a row's id cannot be read either, it may be any of those passed over: none of them
        counts as absent then, nor where no row at all is a valid trade.
        """
        ids = [number for number in self.ids if number >= asked.from_id]
        nameless = self.nameless
        holes = list(_between(asked.from_id, ids))
        end = ids[-1] if ids else asked.from_id - 1
        if nameless and not holes:
            holes.append(Gap(end + 1, end + nameless))
            end += nameless
        readable = {trade.aggregate_id for trade in self.trades}
        unreadable = [Gap(number, number) for number in ids if number not in readable]
        if nameless or not readable:
            unreadable += holes
            holes = []
        return Reading(
            [trade for trade in self.trades if asked.from_id <= trade.aggregate_id <= asked.to_id],
            _within(asked, holes),
            _within(asked, unreadable),
            end + 1 if end < asked.to_id else None,
        )


def _between(from_id: int, ids: list[int]) -> list[Gap]:
    """The holes between `from_id` and the last of ascending ids."""
    holes = []
    for number in ids:
        if number > from_id:
            holes.append(Gap(from_id, number - 1))
        from_id = number + 1
    return holes


def _within(asked: Gap, gaps: list[Gap]) -> list[Gap]:
    """The parts of gaps that lie in `asked`, ascending, neighbours joined."""
    joined: list[Gap] = []
    for gap in sorted(gaps):
        start, end = max(gap.from_id, asked.from_id), min(gap.to_id, asked.to_id)
        if start > end:
            continue
        if joined and joined[-1].to_id + 1 >= start:
            joined[-1] = Gap(joined[-1].from_id, max(end, joined[-1].to_id))
        else:
            joined.append(Gap(start, end))
    return joined
