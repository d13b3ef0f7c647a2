"""The log, as the API reads it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from generated.native.facts import LogLevel


class Line(NamedTuple):
    """One line of the log."""

    id: int
    time_ms: int
    level: LogLevel
    logger: str
    message: str


class Log(Protocol):
    """The lines of the log that are in memory."""

    def newest(self, limit: int, level: LogLevel, after: int | None) -> Sequence[Line]:
        """The newest lines, oldest first: at most `limit`, from a level on, after an id."""
