"""The names of resolutions, all that the document allows."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from generated.udf import facts
from handlers.problem import InvalidParameter
from handlers.udf.resolutions import interval_of

WEDNESDAY_MS = int(datetime(2024, 2, 14, 15, 9, tzinfo=UTC).timestamp()) * 1000


@pytest.mark.parametrize(
    ("resolution", "minutes"),
    [("1", 1), ("173", 173), ("525600", 525_600), ("D", 1440), ("1D", 1440), ("365D", 525_600)],
)
def test_days_and_minutes_are_counted_from_the_epoch(resolution: str, minutes: int) -> None:
    interval = interval_of(resolution)
    assert (interval.minutes, interval.shift) == (minutes, 0)


@pytest.mark.parametrize(
    ("resolution", "begins"),
    [("W", "2024-02-12"), ("1W", "2024-02-12"), ("M", "2024-02-01"), ("1M", "2024-02-01")],
)
def test_weeks_begin_on_monday_and_months_on_the_first(resolution: str, begins: str) -> None:
    start = datetime.fromtimestamp(interval_of(resolution).start(WEDNESDAY_MS) / 1000, UTC)
    assert start == datetime.fromisoformat(f"{begins}T00:00Z")


@pytest.mark.parametrize("resolution", ["525601", "366D", "999999", "999D"])
def test_more_than_a_year_is_refused(resolution: str) -> None:
    assert re.search(facts.RESOLUTION_PATTERN, resolution)
    with pytest.raises(InvalidParameter):
        interval_of(resolution)


@pytest.mark.parametrize("resolution", facts.RESOLUTION_LIST_OFFERED)
def test_what_a_chart_offers_is_served(resolution: str) -> None:
    assert re.search(facts.RESOLUTION_PATTERN, resolution)
    assert interval_of(resolution).name == resolution
