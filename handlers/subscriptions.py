"""Who is subscribed to what, and the history that they are owed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from handlers import messages
from handlers.deliveries import Deliveries
from ingest.core.status import Quality
from ingest.pipeline.feed import Feed
from ingest.pipeline.pair import Pair
from ingest.pipeline.provider import Provider
from wsrouter import Connection, Hub


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
        self._deliveries = Deliveries()
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
        self._deliveries.cancel(connection, pair)
        self._owed[pair.symbol].pop((connection, pair), None)
        self._provider.watches.release(self._provider.feed(pair.symbol), pair)
        return True

    def drop(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        self._deliveries.drop(connection)
        for pair in list(self._wanted.get(connection, ())):
            self.remove(connection, pair)
        self._wanted.pop(connection, None)
        self._hub.drop(connection)

    def deliver(self, connection: Connection, wishes: Sequence[Wish]) -> None:
        """Begin to send history and updates of what was accepted, one pair after the other."""
        for pair, candles in wishes:
            self._deliver_later(connection, pair, candles)

    def _deliver_later(self, connection: Connection, pair: Pair, candles: int) -> None:
        work = partial(self._deliver, connection, pair, candles)
        self._deliveries.add(connection, pair, work)

    async def _deliver(self, connection: Connection, pair: Pair, candles: int) -> None:
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
            self._deliver_later(connection, pair, candles)
