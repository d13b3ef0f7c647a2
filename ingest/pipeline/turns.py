"""Turns: so many at a time, and of those that wait whoever is in demand goes first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class Turns:
    """Lets some of many through at a time, the others in the order in which they came."""

    def __init__(self, at_once: int, is_wanted: Callable[[str], bool]) -> None:
        """`is_wanted` says, whenever a turn is free, whether one that waits goes before others."""
        self._free = at_once
        self._is_wanted = is_wanted
        self._waiting: list[tuple[str, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[None]:
        """Wait for a turn, and hold it."""
        if not self._free:
            granted = asyncio.get_running_loop().create_future()
            self._waiting.append((name, granted))
            try:
                await granted
            except asyncio.CancelledError:
                if granted.done() and not granted.cancelled():
                    self._pass_on()
                raise
        else:
            self._free -= 1
        try:
            yield
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        """Give a turn that has ended to the next one."""
        self._waiting = [each for each in self._waiting if not each[1].cancelled()]
        if not self._waiting:
            self._free += 1
            return
        wanted = (index for index, (name, _) in enumerate(self._waiting) if self._is_wanted(name))
        self._waiting.pop(next(wanted, 0))[1].set_result(None)
