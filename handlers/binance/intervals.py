"""The names of intervals and of time zones."""

from __future__ import annotations

import re

from generated.binance import facts
from generated.native.facts import TIMEFRAME_MAXIMUM
from handlers.problem import InvalidParameter
from ingest.core import interval
from ingest.core.interval import DAY, Interval

_UNITS = {"m": 1, "h": 60, "d": DAY}
_WEEK, _MONTH = "1w", "1M"
_ZONE = re.compile(r"([+-]?)([0-9]+)(?::([0-9]+))?")


def interval_of(name: str, time_zone: str) -> Interval:
    """The interval of a name, in a zone such as `+08:00`, `5` or `-3:30`.

    Raises InvalidParameter.
    """
    zone = _zone_minutes(time_zone)
    if name == _WEEK:
        return interval.weeks(name, zone)
    if name == _MONTH:
        return interval.months(name, zone)
    minutes = int(name[:-1]) * _UNITS[name[-1]]
    if minutes > TIMEFRAME_MAXIMUM:
        raise InvalidParameter("query.interval", f"at most {TIMEFRAME_MAXIMUM} minutes are served")
    return interval.minutes(name, minutes, zone)


def _zone_minutes(text: str) -> int:
    """The minutes that a zone's clocks show more than UTC."""
    match = _ZONE.fullmatch(text)
    if match is not None:
        minutes = int(match[2]) * 60 + int(match[3] or 0)
        minutes = -minutes if match[1] == "-" else minutes
        if facts.TIME_ZONE_EARLIEST_MINUTES <= minutes <= facts.TIME_ZONE_LATEST_MINUTES:
            return minutes
    raise InvalidParameter("query.timeZone", "send hours from -12 to 14, or hours and minutes")
