"""Intervals: any number of minutes, or weeks and months, each in the days of a time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from math import gcd

from .timeframe import MINUTE_MS

DAY = 1440
"""Minutes of a day."""
_MONDAY = 4 * DAY
"""Minutes from the Unix epoch to the first Monday."""
_LONGEST_MONTH = 31 * DAY


@dataclass(frozen=True, slots=True)
class Interval:
    """Buckets of one length, or of months, that are made of buckets counted from the epoch."""

    name: str
    minutes: int
    """The length of a bucket; 0 for months."""
    shift: int
    """Minutes by which buckets begin before those counted from the epoch."""

    @property
    def base(self) -> int:
        """The widest timeframe whose buckets each lie in one bucket: what they are made of."""
        return gcd(self.minutes or DAY, self.shift)

    @property
    def most_base_buckets(self) -> int:
        """How many buckets of the base one bucket has at the most."""
        return (self.minutes or _LONGEST_MONTH) // self.base

    def start(self, time_ms: int) -> int:
        """The start of the bucket that holds a time, in milliseconds."""
        shift_ms = self.shift * MINUTE_MS
        local = time_ms + shift_ms
        if not self.minutes:
            return _month(_month_index(local)) - shift_ms
        width = self.minutes * MINUTE_MS
        return local // width * width - shift_ms

    def after(self, start_ms: int, count: int = 1) -> int:
        """The start of the bucket so many later than one that begins at a time."""
        shift_ms = self.shift * MINUTE_MS
        if not self.minutes:
            return _month(_month_index(start_ms + shift_ms) + count) - shift_ms
        return start_ms + count * self.minutes * MINUTE_MS

    def first_from(self, time_ms: int) -> int:
        """The start of the first bucket that begins at a time or later."""
        start = self.start(time_ms)
        return start if start == time_ms else self.after(start)


def minutes(name: str, length: int, zone: int = 0) -> Interval:
    """The interval of so many minutes, in a zone so many minutes before UTC."""
    return Interval(name, length, zone % length)


def weeks(name: str, zone: int = 0) -> Interval:
    """Weeks, which begin on Monday."""
    return Interval(name, 7 * DAY, zone - _MONDAY)


def months(name: str, zone: int = 0) -> Interval:
    """The months of the calendar."""
    return Interval(name, 0, zone)


def _month_index(time_ms: int) -> int:
    day = datetime.fromtimestamp(time_ms // 1000, UTC)
    return day.year * 12 + day.month - 1


def _month(index: int) -> int:
    return int(datetime(index // 12, index % 12 + 1, 1, tzinfo=UTC).timestamp()) * 1000
