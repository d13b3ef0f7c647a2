"""The names of resolutions."""

from __future__ import annotations

from generated.native.facts import TIMEFRAME_MAXIMUM
from generated.udf import facts
from handlers.problem import InvalidParameter
from ingest.core import interval
from ingest.core.interval import DAY, Interval


def interval_of(resolution: str) -> Interval:
    """The interval of a resolution such as `173`, `1D`, `W` or `1M`. Raises InvalidParameter."""
    unit = resolution[-1]
    if unit == facts.RESOLUTION_WEEK:
        return interval.weeks(resolution)
    if unit == facts.RESOLUTION_MONTH:
        return interval.months(resolution)
    is_days = unit == facts.RESOLUTION_DAY
    minutes = int(resolution[:-1] or 1) * DAY if is_days else int(resolution)
    if minutes > TIMEFRAME_MAXIMUM:
        raise InvalidParameter(
            "query.resolution", f"at most {TIMEFRAME_MAXIMUM} minutes are served"
        )
    return interval.minutes(resolution, minutes)
