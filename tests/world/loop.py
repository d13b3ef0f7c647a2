"""An event loop whose time is virtual: it jumps to the next timer when nothing is left to do.

Nothing waits for the outside world, so a run is as long as its work, and the same each time.
`looptime` does the same at ten times the cost of a timer, `async-solipsism` under the GPL.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple

START_S = 10_000.0
"""The time at the beginning; not 0, which stands for never in places."""

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Stuck(AssertionError):
    """Nothing is ready and no timer runs: a task waits for ever."""


class _Selector(selectors.BaseSelector):
    """Passes time instead of waiting for files."""

    def __init__(self) -> None:
        self.now = START_S
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = self._keys[fileobj] = selectors.SelectorKey(fileobj, 0, events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Stuck("nothing is ready and no timer runs")
        if timeout > 0:
            self.now += timeout
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs tasks in virtual time. What would run in a thread is run at once."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Virtual seconds."""
        return self._virtual.now

    async def _run_now(self, func: Callable[[*Ts], T], *args: *Ts) -> T:
        return func(*args)

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Task[T]:
        """Call `func` in a task of the loop itself."""
        return self.create_task(self._run_now(func, *args))
