"""The exit statuses of the commands; the operation guide lists them."""

from __future__ import annotations

from enum import IntEnum
from typing import Self


class Exit(IntEnum):
    """How a command ended."""

    DONE = 0
    """It did all that was asked for, and found nothing wrong."""
    FOUND = 1
    """It found what differs or is missing, or it could not go on; the output says what."""
    WRONG_USE = 2
    """An option or a setting cannot be used; the output names it."""
    INTERRUPTED = 130
    """SIGINT, such as Ctrl-C, ended it."""
    TERMINATED = 143
    """SIGTERM ended it before it was done. `serve` ends cleanly on it, with DONE."""

    @classmethod
    def found(cls, found: object) -> Self:
        """FOUND when there is something, else DONE."""
        return cls.FOUND if found else cls.DONE
