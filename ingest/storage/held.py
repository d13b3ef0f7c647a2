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
        self._first = self._read()
        for symbol, first in self._unnoted().items():  # of an earlier version, or lost
            self.lower(symbol, first)

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
            self._write(symbol, aggregate_id)
            self._first[symbol] = aggregate_id

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

    def _write(self, symbol: str, first_id: int) -> None:
        """Note the lowest id of a symbol."""
        self._connection.note(
            "INSERT INTO held SELECT {symbol:String}, {first_id:Int64}",
            {"symbol": symbol, "first_id": first_id},
        )
