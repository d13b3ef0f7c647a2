"""A bound on how often the same line is written: when an exchange fails, all of its symbols do."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MOST: Final = 50
"""Lines of one kind in each span of so many seconds."""
SECONDS: Final = 10.0
KINDS: Final = 1000
"""Kinds that are known at a time."""
LEFT_OUT: Final = "left_out"
"""The field of a line that says how many like it were left out before it."""


@dataclass(slots=True)
class _Kind:
    until: float
    written: int = 0
    left_out: int = 0


class Flood(logging.Filter):
    """Leaves out lines of one logger and one text, values apart, beyond the bound."""

    def __init__(
        self, exempt: frozenset[str] = frozenset(), clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Loggers that are `exempt` write all of their lines."""
        super().__init__()
        self._exempt = exempt
        self._clock = clock
        self._kinds: dict[tuple[str, str], _Kind] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line is written."""
        if record.name in self._exempt:
            return True
        key, now = (record.name, str(record.msg)[:200]), self._clock()
        kind = self._kinds.get(key)
        if kind is None or now >= kind.until:
            left_out = self._kinds.pop(key).left_out if kind is not None else 0
            if len(self._kinds) >= KINDS:
                del self._kinds[next(iter(self._kinds))]
            kind = self._kinds[key] = _Kind(now + SECONDS)
            if left_out:
                setattr(record, LEFT_OUT, left_out)
        if kind.written >= MOST:
            kind.left_out += 1
            return False
        kind.written += 1
        return True
