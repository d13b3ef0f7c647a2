"""Parts of tables that were torn, as by a power cut: the engine sets them aside without a word.

Missing trades show as missing ids, and are fetched again. Rows that follow from the trades would
go unnoticed, so all of them are recomputed.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from .connection import Connection
from .progress import Progress

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TornPart:
    """A part that the engine found broken when it opened a table."""

    table: str
    name: str
    bytes_on_disk: int


def find_torn_parts(connection: Connection, progress: Progress) -> list[TornPart]:
    """The torn parts found since the last start. What follows from the trades is in doubt then."""
    if connection.layout.cluster:
        return []  # replicas mend such parts from one another
    rows = connection.rows(
        "SELECT table, name, bytes_on_disk FROM system.detached_parts"
        " WHERE database = currentDatabase() AND reason LIKE '%broken%' ORDER BY table, name"
    )
    parts = [TornPart(*row) for row in rows]
    for part in parts:
        log.warning("A part of the table %s was torn and is lost: %s", part.table, part.name)
    if any(part.table in ("minutes", "candles", "progress") for part in parts):
        symbols = connection.rows("SELECT DISTINCT symbol FROM trades")
        progress.doubt([symbol for (symbol,) in symbols])
    for part in parts:
        # Both names are the engine's own. This statement takes no bound value: the client quotes.
        connection.command(
            f"ALTER TABLE {part.table} DROP DETACHED PART %(name)s"
            " SETTINGS allow_drop_detached = 1",
            {"name": part.name},
        )
    return parts
