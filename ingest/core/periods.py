"""Days and months, as files are named after them: UTC, by their ISO names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import NamedTuple

from .keep import DAY_MS

_LAST_YEAR = 9998


class Period(NamedTuple):
    """A day or a month; times in milliseconds, the end is not part of it."""

    name: str
    """`2026-11-25` or `2026-11`."""
    start_ms: int
    end_ms: int

    @property
    def is_month(self) -> bool:
        """Whether it is a month."""
        return len(self.name) == len("2026-11")


def period_of(name: str) -> Period:
    """The day or month of a name; raises ValueError for one that the calendar does not have."""
    if len(name) == len("2026-11"):
        return _month(date.fromisoformat(f"{name}-01"))
    return _day(date.fromisoformat(name))


def days(start_ms: int, end_ms: int) -> Iterator[Period]:
    """The days that lie in a span as a whole."""
    for number in range(-(-start_ms // DAY_MS), end_ms // DAY_MS):
        yield _day(datetime.fromtimestamp(number * DAY_MS // 1000, UTC).date())


def months(start_ms: int, end_ms: int) -> Iterator[Period]:
    """The months that lie in a span as a whole."""
    month = _month(datetime.fromtimestamp(start_ms // 1000, UTC).date())
    while month.end_ms <= end_ms:
        if month.start_ms >= start_ms:
            yield month
        month = _month(datetime.fromtimestamp(month.end_ms // 1000, UTC).date())


def _day(day: date) -> Period:
    start = _start_ms(day)
    return Period(day.isoformat(), start, start + DAY_MS)


def _month(day: date) -> Period:
    first = day.replace(day=1)
    following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return Period(first.isoformat()[:7], _start_ms(first), _start_ms(following))


def _start_ms(day: date) -> int:
    if not 1970 <= day.year <= _LAST_YEAR + 1:
        raise ValueError(f"{day} is before 1970")
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
