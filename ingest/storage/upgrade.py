# statements are put together from constants of this package alone
"""Brings what an earlier version of the program has stored up to date.

| version | lacks |
|---|---|
| 1 | levels, which `timeframes` adds while the store is in use |
| 2 | the raw ids of minutes and candles, which are recomputed from the trades here |

An upgrade that is cut short goes on where it was: rows that lack something are looked for, and the
version is noted at the end. Until then an earlier program opens the store, and cannot write candles
to it, for they have more columns; its trades are stored as ever, and recomputed here.
"""

from __future__ import annotations

import logging

from ..core.timeframe import width_ms
from . import schema
from .candles import Candles
from .connection import Connection
from .recompute import MINUTES
from .retention import Retention
from .timeframes import drop_views

log = logging.getLogger(__name__)

RAW_IDS = 3
"""The version since which candles have the ids of raw trades."""

_LACKING = """
SELECT symbol, {timeframe}, min(candle_time), max(candle_time) FROM {table} FINAL
WHERE last_raw_id < 0
GROUP BY 1, 2, toYYYYMM(fromUnixTimestamp64Milli(candle_time, 'UTC')) ORDER BY 1, 3
"""


def add_columns(connection: Connection, version: int) -> None:
    """Give the tables of an earlier version the columns that they lack."""
    if version >= RAW_IDS:
        return
    layout = connection.layout
    for table in ("minutes", "candles"):
        for name in dict.fromkeys([layout.stored(table), table]):
            connection.command(
                f"ALTER TABLE {name}{layout.on_cluster}"
                f" ADD COLUMN IF NOT EXISTS first_raw_id {schema.RAW_ID} AFTER last_id,"
                f" ADD COLUMN IF NOT EXISTS last_raw_id {schema.RAW_ID} AFTER first_raw_id"
            )
    drop_views(connection)  # they are made anew with all columns


def recompute(connection: Connection, candles: Candles, retention: Retention, version: int) -> None:
    """Recompute the minutes and candles that lack something, a month of a symbol at a time.

    Those whose trades have expired stay as they are.
    """
    if version >= RAW_IDS:
        return
    for table, timeframe in (("minutes", str(MINUTES)), ("candles", "toInt64(timeframe)")):
        rows = connection.rows(_LACKING.format(table=table, timeframe=timeframe))
        spans = [
            (symbol, max(first, retention.line(symbol).recompute_from_ms), last + width_ms(minutes))
            for symbol, minutes, first, last in rows
            if minutes == MINUTES or minutes in candles.written(symbol)
        ]
        for number, (symbol, since, until) in enumerate(spans, 1):
            if since < until:
                log.info("Candles of an earlier version: %s of %s months", number, len(spans))
                candles.recompute({symbol: [(since, until)]})
