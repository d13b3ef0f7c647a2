"""The lowest id of each symbol that was stored, kept apart from the trades themselves.

Ids that are lost between others show as a hole. Without this, those of a lost part that held the
oldest trades would not be missed.
"""

from __future__ import annotations

import threading

from .connection import Connection
from .retention import Retention


class Held:
    """The table `held`."""

    def __init__(self, connection: Connection, retention: Retention) -> None:
        self._connection = connection
        self._retention = retention
        self._lock = threading.Lock()
        rows = connection.rows("SELECT symbol, first_id FROM held FINAL")
        self._first: dict[str, int] = dict(rows)
        unnoted = connection.rows(  # of an earlier version, or lost
            "SELECT symbol, min(aggregate_id) FROM trades"
            " WHERE symbol NOT IN (SELECT symbol FROM held) GROUP BY symbol"
        )
        for symbol, first in unnoted:
            self.lower(symbol, int(first))

    @property
    def symbols(self) -> frozenset[str]:
        """The symbols of which trades were stored."""
        return frozenset(self._first)

    def first(self, symbol: str) -> int | None:
        """The lowest id that should be here; None when none was stored."""
        first = self._first.get(symbol)
        return None if first is None else max(first, self._retention.line(symbol).first_id)

    def lower(self, symbol: str, aggregate_id: int) -> None:
        """Note that trades of a symbol from this id on are about to be stored."""
        known = self._first.get(symbol)
        if known is not None and known <= aggregate_id:
            return
        with self._lock:
            known = self._first.get(symbol)
            if known is not None and known <= aggregate_id:
                return
            self._connection.note(
                "INSERT INTO held SELECT {symbol:String}, {first_id:Int64}",
                {"symbol": symbol, "first_id": aggregate_id},
            )
            self._first[symbol] = aggregate_id
