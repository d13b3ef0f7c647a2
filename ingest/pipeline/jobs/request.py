"""The work that is asked for, and how far it has come."""

from __future__ import annotations

from typing import Protocol

import msgspec

from generated.native.facts import JobKind, JobSource
from ingest.pipeline.backfill import Reporter


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """The work that is asked for. Times are in milliseconds."""

    kind: JobKind
    symbols: str | None = None
    """Names and patterns with commas between."""
    start_ms: int | None = None
    end_ms: int | None = None
    """The end of the span, not itself part of it; None for now."""
    source: JobSource | None = None
    timeframe: int | None = None
    repair: bool = False


class Memo(msgspec.Struct):
    """The part of a job that is done: it is not done again when the job is taken up again."""

    done: list[str] = []
    """Symbols."""
    counts: dict[str, int] = {}
    """Counts of what was found, by kind."""
    from_ms: int = 0
    until_ms: int = 0
    """The span of time that is done."""
    candles: int = 0
    quiet: int = 0


class Report(Reporter, Protocol):
    """Reports how work goes."""

    def ended(self, symbol: str, trades: int) -> None:
        """A symbol is done; so many trades of it were stored."""

    def line(self, text: str) -> None:
        """Something that was found."""

    def status(self, text: str) -> None:
        """The step that is under way."""

    async def keep(self) -> None:
        """Keep the memo as it is: what is done by now need not be done again."""
