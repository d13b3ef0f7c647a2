"""Days and months by their names."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ingest.core.keep import DAY_MS
from ingest.core.periods import days, months, period_of


def ms(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp()) * 1000  # type: ignore[misc,arg-type]


def test_a_day_and_a_month_have_their_bounds() -> None:
    assert period_of("2024-02-29") == ("2024-02-29", ms(2024, 2, 29), ms(2024, 3, 1))
    assert period_of("2024-02") == ("2024-02", ms(2024, 2, 1), ms(2024, 3, 1))
    assert period_of("2023-12") == ("2023-12", ms(2023, 12, 1), ms(2024, 1, 1))
    assert period_of("2023-12").is_month
    assert not period_of("2023-12-31").is_month


@pytest.mark.parametrize("name", ["2023-02-29", "2023-13", "2023-00", "1969-12-31", "9999-12"])
def test_a_name_that_the_calendar_does_not_have_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        period_of(name)


def test_a_span_has_the_days_and_months_that_lie_in_it_as_a_whole() -> None:
    start, end = ms(2023, 11, 30) + 1, ms(2024, 2, 2) + DAY_MS - 1
    names = [day.name for day in days(start, end)]
    assert (names[0], names[-1], len(names)) == ("2023-12-01", "2024-02-01", 31 + 31 + 1)
    assert [month.name for month in months(start, end)] == ["2023-12", "2024-01"]
    assert [month.name for month in months(ms(2023, 11, 1), ms(2023, 12, 1))] == ["2023-11"]
    assert not [*days(start, start), *months(start, start)]
