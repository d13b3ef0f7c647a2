"""Parts of tables that cannot be read, as after a power cut or of a failing disk.

The engine sets aside those that it finds when it opens a table; `Connection` lets it set aside
those that show later. They stay in the directory `detached` of their table. Missing trades show as
missing ids, and are fetched again. Rows that follow from the trades would go unnoticed, so all of
them are recomputed.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from .connection import Connection
from .progress import Progress

log = logging.getLogger(__name__)

_FOLLOWING = ("minutes", "candles", "progress")
"""Tables whose rows follow from the trades."""


@dataclass(frozen=True, slots=True)
class TornPart:
    """A part of a table that was set aside, for it cannot be read."""

    table: str
    name: str
    bytes_on_disk: int


def find_torn_parts(connection: Connection, progress: Progress) -> list[TornPart]:
    """The parts set aside since this was last asked, in this run or an earlier one.

    What follows from the trades is in doubt then.
    """
    if connection.layout.cluster:
        return []  # replicas mend such parts from one another
    rows = connection.rows(
        "SELECT table, name, bytes_on_disk FROM system.detached_parts"
        " WHERE database = currentDatabase() AND table != 'torn_parts'"
        " AND (empty(ifNull(reason, '')) OR reason LIKE '%broken%')"
        " AND (table, name) NOT IN (SELECT table, name FROM torn_parts) ORDER BY table, name"
    )
    parts = [TornPart(*row) for row in rows]
    for part in parts:
        log.warning(
            "A part of the table %s cannot be read and is set aside: %s", part.table, part.name
        )
    if any(part.table in _FOLLOWING for part in parts):
        symbols = connection.rows("SELECT DISTINCT symbol FROM trades")
        progress.doubt([symbol for (symbol,) in symbols])
    for part in parts:
        # Where the disk is full this is not kept, and the part is found again at the next start.
        connection.command(
            "INSERT INTO torn_parts SELECT {table:String}, {name:String}, now64(3)",
            {"table": part.table, "name": part.name},
        )
    return parts
