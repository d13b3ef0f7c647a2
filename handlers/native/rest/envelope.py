"""Successful replies: data in the contract's envelope, or a table in pieces."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TypeVar

from generated.native.models import Envelope
from generated.reply import Raw
from handlers.native.rest import caching
from ingest.binance.now import host_ms
from ingest.storage import Table, TableFormat

E = TypeVar("E", bound=Envelope)

FORMATS = {
    "application/vnd.apache.arrow.stream": TableFormat.ARROW,
    "application/vnd.apache.parquet": TableFormat.PARQUET,
    "application/x-ndjson": TableFormat.NDJSON,
    "text/csv": TableFormat.CSV,
}


def table_of(media_type: str, decimals: str) -> Table:
    """The table of a media type, with the type of decimals that is asked for."""
    return Table(FORMATS[media_type], has_doubles=decimals == "float64")


def envelope(kind: type[E], data: object, message: str) -> E:
    """Data that is a model."""
    fields = {"success": True, "data": data, "message": message, "error": None}
    return kind.model_validate({**fields, "timestamp": host_ms()})


async def table(
    media_type: str,
    rows: AsyncIterator[bytes],
    next_cursor: int | None,
    ended_ms: int | None,
    **headers: str,
) -> Raw:
    """A table in pieces, or as a whole where its span has ended; `headers` with underscores."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    if next_cursor is not None:
        given["Next-Cursor"] = str(next_cursor)
    if ended_ms is None:
        return Raw(rows, media_type, {**given, **caching.STILL_CHANGES})
    body = b"".join([piece async for piece in rows])
    return Raw(body, media_type, {**given, **caching.of(ended_ms, body, next_cursor)})
