"""How long something is kept, by symbol."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from .symbol import Symbols, is_symbol

DAY_MS = 86_400_000
_ITEM = re.compile(r"(?:([^=]+)=)?([1-9][0-9]{0,5})d")


@dataclass(frozen=True)
class Keep:
    """Whole days by symbol; what no rule is for is kept for ever."""

    days: Mapping[str, int] = field(default_factory=dict)
    """By symbol; "*" is for all others."""

    def since_ms(self, symbol: str, now_ms: int) -> int:
        """The start of the first UTC day that is kept whole; 0 when all is."""
        days = self.days.get(symbol, self.days.get("*"))
        return 0 if days is None else max(0, now_ms // DAY_MS - days) * DAY_MS

    def shortest_ms(self, symbols: Symbols) -> int | None:
        """The shortest time that any of these symbols is kept; None when all are for ever."""
        found = [self.days.get(symbol, self.days.get("*")) for symbol in symbols.names]
        if symbols.patterns:
            found += [days for name, days in self.days.items() if name == "*" or name in symbols]
        return min((days * DAY_MS for days in found if days is not None), default=None)

    def __str__(self) -> str:
        return ",".join(f"{symbol}={days}d" for symbol, days in self.days.items())


def parse_keep(text: str) -> Keep:
    """Such as "90d" or "BTCUSDT=30d,*=90d"; nothing is for ever. Raises ValueError."""
    days: dict[str, int] = {}
    for item in text.split(",") if text else ():
        match = _ITEM.fullmatch(item.strip())
        symbol = match[1] or "*" if match else ""
        is_known = symbol == "*" or is_symbol(symbol)
        if match is None or not is_known or symbol in days:
            raise ValueError('days such as "90d" or "BTCUSDT=30d,*=90d", each symbol once')
        days[symbol] = int(match[2])
    return Keep(days)
