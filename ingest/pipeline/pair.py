"""What can be watched: a symbol at a timeframe."""

from __future__ import annotations

from typing import NamedTuple


class Pair(NamedTuple):
    """One symbol at one timeframe of so many minutes."""

    symbol: str
    timeframe: int
