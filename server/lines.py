"""How the log is written to standard error: one line an event, as text or as JSON."""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from collections.abc import Collection, Mapping
from typing import Final

from handlers.request_id import REQUEST_ID
from server.edge.requests import ACCESS_LOGGER
from server.flood import LEFT_OUT, Flood
from server.redaction import Redaction, one_line

TEXT, JSON = "text", "json"
FORMATS: Final = (TEXT, JSON)

LONGEST_MESSAGE: Final = 4000
LONGEST_VALUE: Final = 400
LONGEST_TRACEBACK: Final = 16_000

_STANDARD: Final = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}
"""The attributes of every record; others are the fields that the caller gave as `extra`."""

Value = str | int | float | bool | None


def log_to_stderr(level: str, form: str = TEXT, secrets: Collection[str] = ()) -> None:
    """Write what any logger of this process logs, from a level on, without the secrets."""
    handler = _Stderr(sys.stderr)
    handler.setFormatter(formatter(form, secrets))
    handler.addFilter(Flood(frozenset({ACCESS_LOGGER})))
    logging.basicConfig(level=level, handlers=[handler])


def formatter(form: str, secrets: Collection[str] = ()) -> logging.Formatter:
    """The formatter of one of `FORMATS`."""
    redaction = Redaction(secrets)
    return JsonLines(redaction) if form == JSON else TextLines(redaction)


class TextLines(logging.Formatter):
    """A line for people, then the lines of its traceback, indented: none looks like an event."""

    def __init__(self, redaction: Redaction) -> None:
        super().__init__()
        self._hide = redaction

    def format(self, record: logging.LogRecord) -> str:
        message = one_line(self._hide(record.getMessage()), LONGEST_MESSAGE)
        name = one_line(record.name, LONGEST_VALUE)
        line = f"{_moment(record.created)} {record.levelname:<7} {name}: {message}"
        if request_id := REQUEST_ID.get():
            line += f" request_id={request_id}"
        if left_out := getattr(record, LEFT_OUT, 0):
            line += f" ({left_out} more like it were left out)"
        for text in _traceback(record).splitlines():
            line += f"\n    {one_line(self._hide(text), LONGEST_MESSAGE)}"
        return line


class JsonLines(logging.Formatter):
    """An object with `time`, `level`, `logger`, `message`, and the fields that there are."""

    def __init__(self, redaction: Redaction) -> None:
        super().__init__()
        self._hide = redaction

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Value] = {
            "time": _moment(record.created),
            "level": record.levelname.lower(),
            "logger": self._text(record.name, LONGEST_VALUE),
            "message": self._text(record.getMessage(), LONGEST_MESSAGE),
        }
        for name, value in fields(record).items():
            line[name] = self._text(value, LONGEST_VALUE) if isinstance(value, str) else value
        if request_id := REQUEST_ID.get():
            line["request_id"] = request_id
        if found := _traceback(record):
            line["traceback"] = self._text(found, LONGEST_TRACEBACK, is_lines=True)
        return json.dumps(line)

    def _text(self, text: str, longest: int, *, is_lines: bool = False) -> str:
        text = self._hide(text)
        if is_lines:
            return text[:longest].encode(errors="replace").decode()  # JSON escapes its ends
        return one_line(text, longest)


class _Stderr(logging.StreamHandler):  # type: ignore[type-arg]  # generic for type checks alone
    """Standard error. A record that cannot be formatted is named, without its arguments."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        try:
            fault = sys.exc_info()[0]
            name = fault.__name__ if fault else "error"
            logger = one_line(record.name, LONGEST_VALUE)
            self.stream.write(
                self.format(
                    logging.makeLogRecord(
                        {
                            "name": __name__,
                            "levelno": logging.ERROR,
                            "levelname": "ERROR",
                            "msg": f"A line of {logger} cannot be written: {name}",
                            "created": record.created,
                        }
                    )
                )
                + self.terminator
            )
        except Exception:  # noqa: S110  # nobody reads it, as when the pipe is closed
            pass


def fields(record: logging.LogRecord) -> Mapping[str, Value]:
    """The values that the caller gave as `extra`; other types than those of JSON as text."""
    return {
        name: value if isinstance(value, (str, int, float, bool)) or value is None else str(value)
        for name, value in vars(record).items()
        if name not in _STANDARD
    }


def _traceback(record: logging.LogRecord) -> str:
    if record.exc_info and record.exc_info[1] is not None:
        return "".join(traceback.format_exception(record.exc_info[1])).rstrip("\n")
    return record.stack_info or ""


def _moment(seconds: float) -> str:
    """A time as ISO 8601 in UTC, to the millisecond."""
    whole = int(seconds)
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
    return f"{moment}.{int((seconds - whole) * 1000):03}Z"
