"""Faults around each call and statement of a store: time passes, calls fail, a process ends."""

from __future__ import annotations

import time
from typing import Protocol

READ = "read"


class Weather(Protocol):
    """Called by a store before and after each call and statement."""

    def statement(self, kind: str) -> None:
        """Called before a statement takes effect, with READ or words such as "insert trades".

        May raise StoreUnavailable, or what ends the process.
        """

    def written(self, kind: str) -> None:
        """Called once a writing statement has taken effect, before it is acknowledged.

        What it raises leaves the rows stored and nobody informed.
        """

    def now_s(self) -> float:
        """Seconds on a clock that only goes forward."""

    async def before(self) -> None:
        """Called before each call that `run` makes: it waits for a thread."""

    async def after(self) -> None:
        """Called after it: the answer is on its way."""


class Calm:
    """The weather in which nothing happens, in real time."""

    def statement(self, kind: str) -> None:
        """Let the statement be made."""

    def written(self, kind: str) -> None:
        """Acknowledge the statement."""

    def now_s(self) -> float:
        """Seconds of this machine."""
        return time.monotonic()

    async def before(self) -> None:
        """Wait for nothing."""

    async def after(self) -> None:
        """Wait for nothing."""
