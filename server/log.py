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
from handlers.request_id import REQUEST_ID
from server.edge.requests import ACCESS_LOGGER
from server.redaction import Redaction

KEPT_LINES: Final = 2000
LONGEST_NAME: Final = 200

_LEVELS: Final = tuple(LogLevel)
"""From the lowest to the highest."""


class KeptLog(logging.Handler):
    """Keeps the newest lines, each of bounded length and without the secrets of the settings.

    Those of single requests are left out: whoever polls for lines would make them.
    """

    def __init__(self, secrets: Collection[str] = ()) -> None:
        super().__init__()
        self._hide = Redaction(secrets)
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
        if record.name == ACCESS_LOGGER:
            return
        try:
            message = self._message(record)
        except Exception:  # whatever a caller's arguments raise; standard error has a line of it
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
        if request_id := REQUEST_ID.get():
            text = f"{text} (request {request_id})"
        text = self._hide(text)
        if len(text) > LOG_TEXT_MAX_LENGTH:
            text = text[: LOG_TEXT_MAX_LENGTH - 1] + "…"
        return text.encode(errors="replace").decode()  # of a file's name, half a character may be


def _level(number: int) -> LogLevel:
    if number >= logging.ERROR:
        return LogLevel.ERROR
    if number >= logging.WARNING:
        return LogLevel.WARNING
    return LogLevel.INFO if number >= logging.INFO else LogLevel.DEBUG
