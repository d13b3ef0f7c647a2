"""A symbol at a timeframe, which clients subscribe to."""

from __future__ import annotations

from typing import NamedTuple

from ingest.core.timeframe import label


class Pair(NamedTuple):
    """One symbol at one timeframe of so many minutes."""

    symbol: str
    timeframe: int

    @property
    def label(self) -> str:
        """The timeframe as the contract writes it: 15m."""
        return label(self.timeframe)
