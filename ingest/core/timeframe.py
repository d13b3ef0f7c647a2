"""Timeframes: any whole number of minutes, in buckets that are counted from the Unix epoch."""

from __future__ import annotations

MINUTE_MS = 60_000


def bucket_start(time_ms: int, timeframe: int) -> int:
    """The start, in milliseconds, of the bucket of `timeframe` minutes that holds `time_ms`."""
    width = timeframe * MINUTE_MS
    return time_ms // width * width


def first_bucket(time_ms: int, timeframe: int) -> int:
    """The start of the first bucket that begins at or after `time_ms`."""
    width = timeframe * MINUTE_MS
    return -(-time_ms // width) * width


def width_ms(timeframe: int) -> int:
    """The length of a bucket in milliseconds."""
    return timeframe * MINUTE_MS


def label(timeframe: int) -> str:
    """The name of a timeframe in replies: 173 is "173m"."""
    return f"{timeframe}m"
