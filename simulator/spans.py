"""Sources of symbols that are listed or delisted while the exchange runs."""

from dataclasses import replace

import numpy as np

from simulator.trades import Source, Trades


class Since:
    """The trades of a source after a time, with ids and raw ids from 0."""

    def __init__(self, source: Source, time_us: int) -> None:
        self._source = source
        self._before = source.last_id(time_us) + 1
        opening = source.slice(self._before, 16)
        raw = opening.first[~opening.tombstones]
        self._raw_before = int(raw[0]) if len(raw) else 0

    @property
    def first_id(self) -> int:
        """Ids start at 0."""
        return 0

    @property
    def end_us(self) -> int | None:
        """The end of the source."""
        return self._source.end_us

    def slice(self, from_id: int, limit: int) -> Trades:
        """Return at most `limit` trades with ids from `from_id` on."""
        found = self._source.slice(self._before + max(0, from_id), limit)
        dead, before = found.tombstones, self._raw_before
        return replace(
            found,
            ids=found.ids - self._before,
            first=np.where(dead, -1, found.first - before),
            last=np.where(dead, -1, found.last - before),
        )

    def id_at(self, time_us: int) -> int:
        """Find the first trade at or after a time."""
        return max(0, self._source.id_at(time_us) - self._before)

    def last_id(self, now_us: int) -> int:
        """Find the last trade at or before a time (-1 if none)."""
        return max(-1, self._source.last_id(now_us) - self._before)


class Until:
    """The trades of a source up to a time."""

    def __init__(self, source: Source, time_us: int) -> None:
        self._source = source
        self._last_id = source.last_id(time_us)
        self._end_us = time_us

    @property
    def first_id(self) -> int:
        """The lowest id of the source."""
        return self._source.first_id

    @property
    def end_us(self) -> int:
        """The time after which nothing trades."""
        return self._end_us

    def slice(self, from_id: int, limit: int) -> Trades:
        """Return at most `limit` trades with ids from `from_id` on."""
        found = self._source.slice(from_id, limit)
        return found[: int(np.searchsorted(found.ids, self._last_id, side="right"))]

    def id_at(self, time_us: int) -> int:
        """Find the first trade at or after a time (one past the last id if none)."""
        return min(self._source.id_at(time_us), self._last_id + 1)

    def last_id(self, now_us: int) -> int:
        """Find the last trade at or before a time (`first_id - 1` if none)."""
        return min(self._source.last_id(now_us), self._last_id)
