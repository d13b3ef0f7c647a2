"""Fan-out: one framing per update, one write per client and tick, and no waiting for clients.

The server's frames are unmasked, so an update is the same bytes for all its subscribers, and the
frames of a tick are the same bytes for all clients with the same subscriptions. Clients are
therefore kept in groups of equal subscriptions: a group's frames are joined once, and its
members get one write each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from asyncapi_server.serving.connection import Connection
from asyncapi_server.serving.framing import text_frame
from asyncapi_server.serving.outbox import Outbox

Topic = Hashable


@dataclass(frozen=True, slots=True)
class Update:
    """A message for the subscribers of a topic."""

    topic: Topic
    payload: bytes
    """The whole message, JSON in UTF-8."""
    key: Hashable = None
    """Names the message within its topic: a newer one with the same key replaces it while it waits
    for a slow client."""


class Hub:
    """The subscriptions of all connections; publishes updates to them."""

    def __init__(self) -> None:
        self.check: Callable[[bytes], None] | None = None
        """Called with every payload before it is published; it may raise."""
        self.on_drop: list[Callable[[Connection], None]] = []
        """Called with each connection that has ended, before it is dropped."""
        self._topics: dict[Connection, dict[Topic, None]] = {}
        self._subscribers: dict[Topic, int] = {}
        self._groups: dict[_GroupKey, dict[Connection, Outbox]] = {}
        self._group_of: dict[Connection, _GroupKey] = {}
        self._moved: dict[Connection, None] = {}

    def subscribe(self, connection: Connection, topic: Topic) -> None:
        """Add a topic to a connection's topics, unless it has it or the connection has ended."""
        if connection.closed:
            return
        topics = self._topics.setdefault(connection, {})
        if topic not in topics:
            topics[topic] = None
            self._subscribers[topic] = self._subscribers.get(topic, 0) + 1
            self._moved[connection] = None

    def unsubscribe(self, connection: Connection, topic: Topic) -> None:
        """Remove a topic from a connection's topics, if it is there."""
        topics = self._topics.get(connection)
        if topics is None or topic not in topics:
            return
        del topics[topic]
        self._release(topic)
        self._moved[connection] = None
        if not topics:
            del self._topics[connection]

    def drop(self, connection: Connection) -> None:
        """Drop a connection that has ended."""
        for hook in self.on_drop:
            hook(connection)
        for topic in self._topics.pop(connection, ()):
            self._release(topic)
        self._moved.pop(connection, None)
        self._leave(connection)

    def topics(self, connection: Connection) -> frozenset[Topic]:
        """The topics that a connection is subscribed to."""
        return frozenset(self._topics.get(connection, ()))

    def has(self, connection: Connection, topic: Topic) -> bool:
        """Whether a connection is subscribed to a topic."""
        return topic in self._topics.get(connection, ())

    def subscribers(self, topic: Topic) -> int:
        """How many connections are subscribed to a topic."""
        return self._subscribers.get(topic, 0)

    @property
    def subscriptions(self) -> int:
        """How many subscriptions all connections have together."""
        return sum(self._subscribers.values())

    @property
    def watched(self) -> Collection[Topic]:
        """Every topic that has a subscriber."""
        return self._subscribers.keys()

    def publish(self, updates: Iterable[Update]) -> int:
        """Send one tick's updates; returns the number of messages handed over.

        The updates of one topic keep their order.
        """
        tick = _Tick(updates, self.check)
        self._regroup()
        delivered = 0
        for (topics, window_bits), members in self._groups.items():
            delivered += tick.deliver(topics, window_bits, members.values())
        return delivered

    def broadcast(self, connections: Iterable[Connection], payload: bytes, key: Hashable) -> int:
        """Send one message to all of the given connections."""
        tick = _Tick([Update(_EVERYONE, payload, key)], self.check)
        members: dict[int, list[Outbox]] = defaultdict(list)
        for connection in connections:
            members[connection.window_bits].append(connection.outbox)
        return sum(tick.deliver((_EVERYONE,), bits, group) for bits, group in members.items())

    def _release(self, topic: Topic) -> None:
        self._subscribers[topic] -= 1
        if not self._subscribers[topic]:
            del self._subscribers[topic]

    def _regroup(self) -> None:
        """Put the connections whose subscriptions have changed into their groups."""
        for connection in self._moved:
            self._leave(connection)
            topics = self._topics.get(connection)
            if topics:
                key = (frozenset(topics), connection.window_bits)
                self._groups.setdefault(key, {})[connection] = connection.outbox
                self._group_of[connection] = key
        self._moved.clear()

    def _leave(self, connection: Connection) -> None:
        key = self._group_of.pop(connection, None)
        if key is not None:
            group = self._groups[key]
            del group[connection]
            if not group:
                del self._groups[key]


_GroupKey = tuple[frozenset[Topic], int]
_EVERYONE = object()


class _Tick:
    """The updates of one tick, framed on demand."""

    def __init__(self, updates: Iterable[Update], check: Callable[[bytes], None] | None) -> None:
        self._updates: dict[Topic, list[Update]] = defaultdict(list)
        for update in updates:
            if check is not None:
                check(update.payload)
            self._updates[update.topic].append(update)
        self._framed: dict[int, _Framed] = {}
        """By window."""

    def deliver(
        self, topics: Collection[Topic], window_bits: int, members: Collection[Outbox]
    ) -> int:
        """Write the updates of some topics to some connections; returns the number of messages."""
        framed = self._framed.get(window_bits)
        if framed is None:
            framed = self._framed[window_bits] = _Framed(self._updates, window_bits)
        frames = [frame for topic in topics for frame in framed[topic]]
        if not frames:
            return 0
        joined = b"".join(frames)
        number = len(frames)
        for outbox in members:
            if not outbox.write(joined, number):
                self._offer(outbox, topics, framed)
        return number * len(members)

    def _offer(self, outbox: Outbox, topics: Iterable[Topic], framed: _Framed) -> None:
        for topic in topics:
            for update, frame in zip(self._updates.get(topic, ()), framed[topic], strict=True):
                outbox.offer((topic, update.key), frame)


class _Framed(dict[Topic, Sequence[bytes]]):
    """The frames of each topic's updates, made when they are first asked for; there may be none."""

    def __init__(self, updates: Mapping[Topic, Sequence[Update]], window_bits: int) -> None:
        super().__init__()
        self._updates = updates
        self._window_bits = window_bits

    def __missing__(self, topic: Topic) -> Sequence[bytes]:
        updates = self._updates.get(topic, ())
        self[topic] = frames = [text_frame(each.payload, self._window_bits) for each in updates]
        return frames
