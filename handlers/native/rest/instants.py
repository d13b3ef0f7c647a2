"""Moments as requests name them: milliseconds, or ISO 8601 as the document has it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from handlers.problem import InvalidParameter

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def span_of(
    start_time: int | str | None, end_time: int | str | None
) -> tuple[int | None, int | None]:
    """The first and the last millisecond of a span; raises InvalidParameter.

    A time between two milliseconds is the later one as a start, the earlier one as an end.
    """
    start, end = start_time, end_time
    if isinstance(start, str):
        start = -((_EPOCH - _moment("start_time", start)) // _MILLISECOND)
    if isinstance(end, str):
        end = (_moment("end_time", end) - _EPOCH) // _MILLISECOND
    if start is not None and end is not None and start > end:
        raise InvalidParameter("query.start_time", "must not be after end_time")
    return start, end


def _moment(name: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        moment = None
    if moment is None or moment < _EPOCH:
        raise InvalidParameter(
            f"query.{name}", f"{text} is no time from 1970 to 9999, such as 2026-11-25T13:45:30Z"
        )
    return moment
