"""Rows that the database has formatted: JSON in the contract's envelope, or a table in pieces."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

from generated.rest import Raw
from handlers.parts import now_ms
from handlers.replies import InvalidParameter
from ingest.storage import TableFormat

_FORMATS = {
    "application/vnd.apache.arrow.stream": TableFormat.ARROW,
    "application/vnd.apache.parquet": TableFormat.PARQUET,
    "text/csv": TableFormat.CSV,
}


def check_times(start_time: int | None, end_time: int | None) -> None:
    """Refuse a span of time that ends before it begins."""
    if start_time is not None and end_time is not None and start_time > end_time:
        raise InvalidParameter("query.start_time", "must not be after end_time")


def in_envelope(rows: bytes, message: str, next_cursor: int | None, more: str = "") -> Raw:
    """A successful reply around an array of rows; `more` are further members, as JSON."""
    cursor = "null" if next_cursor is None else next_cursor
    tail = (
        f',"message":"{message}","timestamp":{now_ms()},"error":null,{more}"next_cursor":{cursor}}}'
    )
    return Raw(b'{"success":true,"data":' + rows + tail.encode())


async def as_table(
    media_type: str,
    next_cursor: int | None,
    rows: Callable[[TableFormat], Awaitable[AsyncIterator[bytes]]],
    **headers: str,
) -> Raw:
    """A successful reply that is a table; `headers` by their names with underscores."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    if next_cursor is not None:
        told["Next-Cursor"] = str(next_cursor)
    return Raw(await rows(_FORMATS[media_type]), media_type, told)
