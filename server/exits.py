"""The exit statuses of the commands; the operation guide lists them."""

from __future__ import annotations

from enum import IntEnum
from typing import Self


class Exit(IntEnum):
    """The exit status of a command."""

    DONE = 0
    """The command completed and found nothing wrong."""
    FOUND = 1
    """Something differs or is missing, or the command failed; the output names it."""
    WRONG_USE = 2
    """An option or a setting is invalid; the output names it."""
    INTERRUPTED = 130
    """SIGINT, such as Ctrl-C, ended it."""
    TERMINATED = 143
    """SIGTERM ended it early. `serve` ends cleanly on it, with DONE."""

    @classmethod
    def found(cls, found: object) -> Self:
        """FOUND if `found` is truthy, else DONE."""
        return cls.FOUND if found else cls.DONE
