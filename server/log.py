"""The newest lines of the log, kept in memory for `GET /admin/log`."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Final

from generated.native.facts import LOG_TEXT_MAX_LENGTH, LogLevel
from handlers.native.log import Line

KEPT_LINES: Final = 2000
LONGEST_NAME: Final = 200
HIDDEN: Final = "***"

_LEVELS: Final = tuple(LogLevel)
"""From the lowest to the highest."""


class KeptLog(logging.Handler):
    """Keeps the newest lines, each of bounded length and without the secrets of the settings."""

    def __init__(self, secrets: Collection[str] = ()) -> None:
        super().__init__()
        self._secrets = sorted(filter(None, secrets), key=len, reverse=True)
        self._lines: deque[Line] = deque(maxlen=KEPT_LINES)
        # Milliseconds: a later run begins above what an earlier one can have reached.
        self._next_id = time.time_ns() // 1_000_000

    @contextmanager
    def attached(self) -> Iterator[KeptLog]:
        """Keep what any logger of this process logs."""
        logging.getLogger().addHandler(self)
        try:
            yield self
        finally:
            logging.getLogger().removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line; called with the handler's lock held."""
        try:
            message = self._message(record)
        except Exception:  # whatever a caller's arguments raise
            self.handleError(record)
            return
        name = record.name[:LONGEST_NAME]
        time_ms = int(record.created * 1000)
        self._lines.append(Line(self._next_id, time_ms, _level(record.levelno), name, message))
        self._next_id += 1

    def newest(self, limit: int, level: LogLevel, after: int | None) -> list[Line]:
        """The newest lines, oldest first: at most `limit`, from a level on, after an id."""
        wanted, oldest = _LEVELS[_LEVELS.index(level) :], -1 if after is None else after
        self.acquire()
        try:
            lines = list(self._lines)
        finally:
            self.release()
        found = (line for line in reversed(lines) if line.id > oldest and line.level in wanted)
        return [*islice(found, limit)][::-1]

    def _message(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            text = f"{text}: {type(error).__name__}: {error}"
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        if len(text) > LOG_TEXT_MAX_LENGTH:
            text = text[: LOG_TEXT_MAX_LENGTH - 1] + "…"
        return text.encode(errors="replace").decode()  # of a file's name, half a character may be


def _level(number: int) -> LogLevel:
    if number >= logging.ERROR:
        return LogLevel.ERROR
    if number >= logging.WARNING:
        return LogLevel.WARNING
    return LogLevel.INFO if number >= logging.INFO else LogLevel.DEBUG
