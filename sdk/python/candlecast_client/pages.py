"""Pages one after another, and their rows as frames of pandas and polars."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Protocol

from pydantic import BaseModel

from .errors import NotComplete

if TYPE_CHECKING:
    import pandas
    import polars

_TIMES: Final = ("candle_time", "timestamp")
_PLACES: Final = 8


class Paged(Protocol):
    """A reply that has a page of rows."""

    @property
    def data(self) -> Sequence[BaseModel]:
        """The rows."""

    @property
    def next_cursor(self) -> int | None:
        """The cursor of the page after it."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some candles or trades, in order."""

    rows: Sequence[BaseModel]

    def to_pandas(self) -> pandas.DataFrame:
        """A frame with times in UTC and exact decimals, which are objects; needs pandas."""
        import pandas as pd

        frame = pd.DataFrame([row.model_dump() for row in self.rows])
        for name in set(_TIMES) & set(frame.columns):
            frame[name] = pd.to_datetime(frame[name], unit="ms", utc=True).dt.as_unit("ms")
        return frame

    def to_polars(self) -> polars.DataFrame:
        """A frame with times in UTC and exact decimals; needs polars."""
        import polars as pl

        rows = [row.model_dump() for row in self.rows]
        exact = {
            name: pl.Decimal(38, _PLACES)
            for name, value in (rows[0].items() if rows else ())
            if isinstance(value, Decimal)
        }
        frame = pl.DataFrame(rows, schema_overrides=exact)
        times = [name for name in _TIMES if name in frame.columns]
        return frame.with_columns(
            pl.col(time).cast(pl.Datetime("ms")).dt.replace_time_zone("UTC") for time in times
        )


async def pages(
    call: Callable[..., Awaitable[Paged]], symbol: str, **query: Any
) -> AsyncIterator[Page]:
    """The pages of an operation such as `client.rest.get_candles`, from a beginning on.

    Without one in the query it is the newest page alone. Raises what the operation raises, and
    NotComplete while the server has no candles to show.
    """
    cursor = query.pop("cursor", None)
    while True:
        reply = await call(symbol, cursor=cursor, **query)
        if reply.data:
            yield Page(reply.data)
        elif reply.next_cursor is not None:
            raise NotComplete(f"The data of {symbol} is not complete; go on at {reply.next_cursor}")
        if reply.next_cursor is None:
            return
        cursor = reply.next_cursor
