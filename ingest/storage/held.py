"""The lowest id of each symbol that was stored, kept apart from the trades themselves.

Ids that are lost between others show as a hole. Without this, those of a lost part that held the
oldest trades would not be missed.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from .connection import Connection
from .retention import Retention


class Held:
    """The table `held`."""

    def __init__(self, connection: Connection, retention: Retention) -> None:
        self._connection = connection
        self._retention = retention
        self._lock = threading.Lock()
        self._first = self._read()
        self.lower(self._unnoted())  # of an earlier version, or lost

    @property
    def symbols(self) -> frozenset[str]:
        """The symbols of which trades were stored."""
        return frozenset(self._first)

    def first(self, symbol: str) -> int | None:
        """The lowest id that should be here; None when none was stored."""
        first = self._first.get(symbol)
        return None if first is None else max(first, self._retention.line(symbol).first_id)

    def lower(self, lowest: Mapping[str, int]) -> None:
        """Note that trades from these ids on are about to be stored, by symbol."""
        if not self._lower(lowest):
            return
        with self._lock:
            lower = self._lower(lowest)
            if lower:
                self._write(lower)
                self._first |= lower

    def _lower(self, lowest: Mapping[str, int]) -> dict[str, int]:
        """Those of some ids that are lower than what is noted."""
        known = self._first
        return {s: id_ for s, id_ in lowest.items() if id_ < known.get(s, id_ + 1)}

    def _read(self) -> dict[str, int]:
        """All that is noted."""
        return dict(self._connection.rows("SELECT symbol, first_id FROM held FINAL"))

    def _unnoted(self) -> dict[str, int]:
        """The lowest stored id of each symbol of which none is noted."""
        rows = self._connection.rows(
            "SELECT symbol, min(aggregate_id) FROM trades"
            " WHERE symbol NOT IN (SELECT symbol FROM held) GROUP BY symbol"
        )
        return dict(rows)

    def _write(self, firsts: Mapping[str, int]) -> None:
        """Note the lowest ids of some symbols."""
        self._connection.note(
            "INSERT INTO held SELECT row.1, row.2 FROM (SELECT arrayJoin(arrayZip("
            "{symbols:Array(String)}, {firsts:Array(Int64)})) AS row)",
            {"symbols": list(firsts), "firsts": list(firsts.values())},
        )
