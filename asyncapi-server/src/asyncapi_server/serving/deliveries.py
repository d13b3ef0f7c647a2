"""Queues of work for connections: run in order, dropped when the connection ends.

A connection runs one piece of work at a time in each lane, so a client that requests much delays
only itself, and all connections take turns.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from functools import partial

from asyncapi_server.serving.connection import Connection

log = logging.getLogger(__name__)

Work = Callable[[], Awaitable[None]]


class Deliveries:
    """Queues of work, by connection and lane, and the tasks that run it."""

    def __init__(self) -> None:
        self._queues: dict[Connection, dict[Hashable, dict[Hashable, Work]]] = {}
        self._tasks: dict[Connection, set[asyncio.Task[None]]] = {}

    def add(self, connection: Connection, lane: Hashable, key: Hashable, work: Work) -> None:
        """Queue `work` at the end of its lane, replacing any that waits under the same key."""
        lanes = self._queues.setdefault(connection, {})
        if lane in lanes:
            lanes[lane].pop(key, None)
            lanes[lane][key] = work
            return
        queue = lanes[lane] = {key: work}
        task = asyncio.get_running_loop().create_task(self._work(connection, lane, queue))
        self._tasks.setdefault(connection, set()).add(task)
        task.add_done_callback(partial(self._forget, connection))

    def cancel(self, connection: Connection, lane: Hashable, key: Hashable) -> None:
        """Cancel work that has not begun."""
        self._queues.get(connection, {}).get(lane, {}).pop(key, None)

    def drop(self, connection: Connection) -> None:
        """Drop a connection that has ended, and cancel its running work."""
        self._queues.pop(connection, None)
        for task in self._tasks.pop(connection, ()):
            task.cancel()

    def _forget(self, connection: Connection, task: asyncio.Task[None]) -> None:
        tasks = self._tasks.get(connection, set())
        tasks.discard(task)
        if not tasks:
            self._tasks.pop(connection, None)

    async def _work(
        self, connection: Connection, lane: Hashable, queue: dict[Hashable, Work]
    ) -> None:
        while queue:
            work = queue.pop(next(iter(queue)))
            try:
                await work()
            except Exception:
                log.exception("%s: a delivery failed", connection)
        lanes = self._queues.get(connection, {})
        lanes.pop(lane, None)
        if not lanes:
            self._queues.pop(connection, None)
