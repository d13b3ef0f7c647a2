"""The symbols that were chosen at run time: to be followed, or to be followed no longer."""

from __future__ import annotations

from .connection import Connection


class Choices:
    """The table `followed`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def note(self, symbol: str, *, is_followed: bool) -> None:
        """Note that a symbol is followed from now on, or no longer."""
        self._connection.note(
            "INSERT INTO followed SELECT {symbol:String}, {is_followed:Bool}",
            {"symbol": symbol, "is_followed": is_followed},
        )

    def all(self) -> dict[str, bool]:
        """The last choice of each symbol: whether it is followed."""
        rows = self._connection.rows("SELECT symbol, is_followed FROM followed FINAL")
        return {symbol: bool(is_followed) for symbol, is_followed in rows}
