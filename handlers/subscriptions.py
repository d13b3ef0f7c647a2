"""Who is subscribed to what, and the history that they are owed."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Coroutine, Sequence
from typing import NamedTuple

from handlers import messages
from ingest.core.status import Quality
from ingest.pipeline.feed import Feed
from ingest.pipeline.provider import Provider
from ingest.pipeline.watches import Pair
from wsrouter import Connection, Hub

log = logging.getLogger(__name__)


class Wish(NamedTuple):
    """A pair that a client wants, with so many candles of history."""

    pair: Pair
    candles: int


class Subscriptions:
    """The subscriptions of every connection.

    A subscription counts from the moment it is accepted. Its history is sent before its first
    update, and sent again by itself when it had to be sent empty because data was not complete.
    """

    def __init__(self, provider: Provider, hub: Hub) -> None:
        self._provider = provider
        self._hub = hub
        self._wanted: dict[Connection, dict[Pair, None]] = {}
        self._owed: dict[str, dict[tuple[Connection, Pair], int]] = defaultdict(dict)
        self._tasks: dict[Connection, set[asyncio.Task[None]]] = {}
        provider.on_whole = self._pay_symbol

    def of(self, connection: Connection) -> dict[str, list[int]]:
        """Timeframes by symbol of one connection, each in ascending order."""
        result: dict[str, list[int]] = {}
        for symbol, timeframe in sorted(self._wanted.get(connection, ())):
            result.setdefault(symbol, []).append(timeframe)
        return result

    def count(self, connection: Connection) -> int:
        """How many pairs a connection is subscribed to."""
        return len(self._wanted.get(connection, ()))

    @property
    def total(self) -> int:
        """Subscriptions of all connections together."""
        return sum(map(len, self._wanted.values()))

    def has(self, connection: Connection, pair: Pair) -> bool:
        """Whether the connection is subscribed to the pair."""
        return pair in self._wanted.get(connection, ())

    def add(self, connection: Connection, pair: Pair) -> None:
        """Accept a subscription; `deliver` has to follow."""
        wanted = self._wanted.setdefault(connection, {})
        if pair not in wanted:
            wanted[pair] = None
            self._provider.watches.retain(pair)

    def remove(self, connection: Connection, pair: Pair) -> bool:
        """End a subscription; returns whether there was one."""
        wanted = self._wanted.get(connection, {})
        if pair not in wanted:
            return False
        del wanted[pair]
        self._hub.unsubscribe(connection, pair)
        self._owed[pair.symbol].pop((connection, pair), None)
        self._provider.watches.release(self._provider.feed(pair.symbol), pair)
        return True

    def drop(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        for task in self._tasks.pop(connection, ()):
            task.cancel()
        for pair in list(self._wanted.get(connection, ())):
            self.remove(connection, pair)
        self._wanted.pop(connection, None)
        self._hub.drop(connection)

    def deliver(self, connection: Connection, wishes: Sequence[Wish]) -> None:
        """Begin to send history and updates of what was accepted, one pair after the other."""
        self._spawn(connection, self._deliver(connection, wishes))

    async def _deliver(self, connection: Connection, wishes: Sequence[Wish]) -> None:
        for pair, candles in wishes:
            if not self.has(connection, pair):
                continue  # given up before its turn came
            feed = self._provider.feed(pair.symbol)
            await self._provider.watches.prepared(feed, pair)
            if candles and self.has(connection, pair):
                await self._send_history(connection, feed, pair, candles)
            if self.has(connection, pair):
                self._hub.subscribe(connection, pair)

    async def _send_history(
        self, connection: Connection, feed: Feed, pair: Pair, candles: int
    ) -> None:
        await connection.writable()
        history = await self._provider.watches.history(feed, pair.timeframe, candles)
        status = feed.status
        if status.quality is not Quality.COMPLETE:
            history = []
            self._owed[pair.symbol][connection, pair] = candles
        connection.send(
            messages.initial_history(pair.symbol, pair.timeframe, candles, history, status)
        )

    def _pay_symbol(self, feed: Feed) -> None:
        """Send the real history to those that got an empty one."""
        owed = self._owed.pop(feed.symbol, {})
        for (connection, pair), candles in owed.items():
            self._spawn(connection, self._send_history(connection, feed, pair, candles))

    def _spawn(self, connection: Connection, work: Coroutine[None, None, None]) -> None:
        tasks = self._tasks.setdefault(connection, set())
        task = asyncio.get_running_loop().create_task(work)
        tasks.add(task)
        task.add_done_callback(lambda done: self._finished(connection, tasks, done))

    def _finished(
        self,
        connection: Connection,
        tasks: set[asyncio.Task[None]],
        task: asyncio.Task[None],
    ) -> None:
        tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("%s: its candles could not be sent", connection, exc_info=task.exception())
