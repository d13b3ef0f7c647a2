"""A costly call that all who ask for it at the same time share."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedCall(Generic[T]):
    """Runs a call once for all that wait for it, and starts it only so often.

    Who asks while it runs, or before its next run is due, gets that run's result. A run that
    nobody waits for any more is cancelled.
    """

    def __init__(self, call: Callable[[], Awaitable[T]], every: float) -> None:
        """`every` is the least time from the start of one run to that of the next, in seconds."""
        self._call = call
        self._every = every
        self._started = -math.inf
        self._task: asyncio.Task[T] | None = None
        self._waiting = 0

    async def __call__(self) -> T:
        """The result of the run that is under way or due next."""
        task = self._task
        if task is None or task.done():
            task = self._task = asyncio.create_task(self._run())
            self._waiting = 0
        self._waiting += 1
        try:
            return await asyncio.shield(task)
        finally:
            if task is self._task:
                self._waiting -= 1
                if not self._waiting:
                    task.cancel()
                    self._task = None

    async def _run(self) -> T:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._started + self._every - loop.time()))
        self._started = loop.time()
        return await self._call()
