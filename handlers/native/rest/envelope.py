"""Successful replies: data in the contract's envelope, or a table in pieces."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TypeVar

from generated.models import Envelope
from generated.rest import Raw
from handlers.errors import InvalidParameter
from handlers.native.clock import now_ms
from ingest.storage import TableFormat

E = TypeVar("E", bound=Envelope)

FORMATS = {
    "application/vnd.apache.arrow.stream": TableFormat.ARROW,
    "application/vnd.apache.parquet": TableFormat.PARQUET,
    "text/csv": TableFormat.CSV,
}


def check_times(start_time: int | None, end_time: int | None) -> None:
    """Refuse a span of time that ends before it begins."""
    if start_time is not None and end_time is not None and start_time > end_time:
        raise InvalidParameter("query.start_time", "must not be after end_time")


def envelope(kind: type[E], data: object, message: str) -> E:
    """Data that is a model."""
    fields = {"success": True, "data": data, "message": message, "error": None}
    return kind.model_validate({**fields, "timestamp": now_ms()})


def rows_in_envelope(rows: bytes, message: str, next_cursor: int | None, more: str = "") -> Raw:
    """An array of rows, which the database has formatted; `more` are further members, as JSON."""
    cursor = "null" if next_cursor is None else next_cursor
    tail = (
        f',"message":"{message}","timestamp":{now_ms()},"error":null,{more}"next_cursor":{cursor}}}'
    )
    return Raw(b'{"success":true,"data":' + rows + tail.encode())


def table(
    media_type: str, rows: AsyncIterator[bytes], next_cursor: int | None, **headers: str
) -> Raw:
    """A table in pieces; `headers` by their names with underscores."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    if next_cursor is not None:
        given["Next-Cursor"] = str(next_cursor)
    return Raw(rows, media_type, given)
