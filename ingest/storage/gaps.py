"""Gaps that the exchange itself has: ids that it does not give after honest tries."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from ..core.continuity import Gap
from .connection import Connection


@dataclass(frozen=True, slots=True)
class ConfirmedGap:
    """Ids that the exchange itself does not have, both ends included."""

    from_id: int
    to_id: int
    tries: int
    confirmed_at: int
    """When the last try was made, in milliseconds."""

    @property
    def gap(self) -> Gap:
        """The ids alone."""
        return Gap(self.from_id, self.to_id)


class Gaps:
    """The table `confirmed_gaps`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def confirm(self, symbol: str, from_id: int, to_id: int, tries: int) -> None:
        """Note that the exchange does not have these ids, found in so many tries."""
        self._connection.note(
            "INSERT INTO confirmed_gaps SELECT {symbol:String}, {from_id:Int64}, {to_id:Int64},"
            " {tries:UInt32}, now64(3)",
            {"symbol": symbol, "from_id": from_id, "to_id": to_id, "tries": tries},
        )

    def confirmed(self) -> dict[str, list[ConfirmedGap]]:
        """The confirmed gaps of each symbol that has any, oldest first."""
        gaps: dict[str, list[ConfirmedGap]] = defaultdict(list)
        for symbol, *row in self._connection.rows(
            "SELECT symbol, from_id, to_id, tries, toUnixTimestamp64Milli(confirmed_at)"
            " FROM confirmed_gaps FINAL ORDER BY symbol, from_id"
        ):
            gaps[symbol].append(ConfirmedGap(*row))
        return dict(gaps)
