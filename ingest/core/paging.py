"""Which buckets a page of candles holds: arithmetic alone, for buckets leave out no time."""

from __future__ import annotations

from typing import NamedTuple

from .timeframe import bucket_start, first_bucket, width_ms


class Known(NamedTuple):
    """The candles that there are of one timeframe, as the times of the first and the last one."""

    first_ms: int
    last_ms: int


class Bounds(NamedTuple):
    """The times that a page is asked for with, in milliseconds, each of them where it is given."""

    start_time: int | None = None
    """The earliest start of a bucket."""
    end_time: int | None = None
    """The latest start of a bucket."""
    cursor: int | None = None
    """The time at which the page before this one has ended."""

    def beginning(self, timeframe: int) -> int | None:
        """The start of the first bucket that may be in the page; None when none is said."""
        given = [time for time in (self.start_time, self.cursor) if time is not None]
        return first_bucket(max(given), timeframe) if given else None


class PageSpan(NamedTuple):
    """Buckets from a start to an end, which is not part of it, in milliseconds."""

    start_ms: int
    end_ms: int
    next_cursor: int | None
    """The start of the page after this one; None when this is the last."""


EMPTY = PageSpan(0, 0, None)


def page(timeframe: int, known: Known, limit: int, bounds: Bounds) -> PageSpan:
    """The first `limit` buckets from `start_time` or `cursor` on, or else the last `limit` ones."""
    width = width_ms(timeframe)
    start, end = known.first_ms, known.last_ms + width
    if bounds.end_time is not None:
        end = min(end, bucket_start(bounds.end_time, timeframe) + width)
    begin = bounds.beginning(timeframe)
    if begin is None:
        start = max(start, end - limit * width)
        return PageSpan(start, end, None) if start < end else EMPTY
    start = max(start, begin)
    last = min(end, start + limit * width)
    return PageSpan(start, last, last if last < end else None) if start < end else EMPTY
