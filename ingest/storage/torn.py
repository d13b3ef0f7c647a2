"""Parts of tables that cannot be read, as after a power cut or of a failing disk.

The engine sets aside those that it finds when it opens a table; `Connection` lets it set aside
those that show later. They stay in the directory `detached` of their table. Missing trades show as
missing ids, and are fetched again. Rows that follow from the trades would go unnoticed, so all of
them are recomputed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from ..core.errors import StoreUnavailable
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


class Torn:
    """The table `torn_parts`, and what the engine has set aside."""

    def __init__(self, connection: Connection, progress: Progress) -> None:
        self._connection = connection
        self._progress = progress

    def find(self) -> list[TornPart]:
        """The parts set aside since this was last asked, in this run or an earlier one.

        What follows from the trades is in doubt then.
        """
        if self._connection.layout.cluster:
            return []  # replicas mend such parts from one another
        parts = self._unnoted()
        for part in parts:
            log.warning(
                "A part of the table %s cannot be read and is set aside: %s", part.table, part.name
            )
        if any(part.table in _FOLLOWING for part in parts):
            self._progress.doubt(self._symbols())
        return parts

    def note(self, parts: Sequence[TornPart]) -> None:
        """Note parts that were found.

        Where the disk is full that is not kept, and they are found again at the next start.
        """
        try:
            if any(part.table in _FOLLOWING for part in parts):
                self._progress.note_doubt(self._symbols())
            for part in parts:
                self._write(part)
        except StoreUnavailable as error:
            log.warning("That parts of tables were set aside is not noted: %s", error)

    def _unnoted(self) -> list[TornPart]:
        """The parts that are set aside and not noted."""
        rows = self._connection.rows(
            "SELECT table, name, bytes_on_disk FROM system.detached_parts"
            " WHERE database = currentDatabase() AND table != 'torn_parts'"
            " AND (empty(ifNull(reason, '')) OR reason LIKE '%broken%')"
            " AND (table, name) NOT IN (SELECT table, name FROM torn_parts) ORDER BY table, name"
        )
        return [TornPart(*row) for row in rows]

    def _symbols(self) -> list[str]:
        """The symbols of which trades are stored."""
        rows = self._connection.rows("SELECT DISTINCT symbol FROM trades")
        return [symbol for (symbol,) in rows]

    def _write(self, part: TornPart) -> None:
        """Note a part."""
        self._connection.command(
            "INSERT INTO torn_parts SELECT {table:String}, {name:String}, now64(3)",
            {"table": part.table, "name": part.name},
        )
