"""The ids from which on a server has its symbols, where older trades were stored beside it.

Older ones that do not hang together with these are nobody's: a server does not miss what lies
between.
"""

from __future__ import annotations

from .connection import Connection


class Begins:
    """The table `begins`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._first = self._read()

    def of(self, symbol: str) -> int | None:
        """The id from which on a server has a symbol; None where it has all that is stored."""
        return self._first.get(symbol)

    def note(self, symbol: str, first_id: int) -> None:
        """Note that a server has a symbol from this id on."""
        if self._first.get(symbol) != first_id:
            self._write(symbol, first_id)
            self._first[symbol] = first_id

    def _read(self) -> dict[str, int]:
        """All that is noted."""
        return dict(self._connection.rows("SELECT symbol, first_id FROM begins FINAL"))

    def _write(self, symbol: str, first_id: int) -> None:
        """Note the first id of a symbol."""
        self._connection.note(
            "INSERT INTO begins SELECT {symbol:String}, {first_id:Int64}",
            {"symbol": symbol, "first_id": first_id},
        )
