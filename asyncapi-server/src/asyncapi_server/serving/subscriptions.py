"""Subscriptions to topics, from the accepted request to the last update.

A subscription counts from the moment it is accepted. After the reply the topic's source makes its
first message, such as its history; then the hub sends what the source publishes. A first message
may be provisional, when its data is not available yet: `Subscriptions.renew` sends it again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Generic, Protocol, TypeVar

from asyncapi_server.serving.connection import Connection
from asyncapi_server.serving.deliveries import Deliveries
from asyncapi_server.serving.hub import Hub

TopicT = TypeVar("TopicT", bound=Hashable)
TopicT_contra = TypeVar("TopicT_contra", bound=Hashable, contravariant=True)


@dataclass(frozen=True, slots=True)
class First:
    """The first message of a subscription, JSON in UTF-8."""

    payload: bytes
    is_provisional: bool = False
    """Whether `Subscriptions.renew` sends another one later."""


class Source(Protocol[TopicT_contra]):
    """Makes the messages of some topics. It publishes to the hub while a topic is open."""

    def open(self, topic: TopicT_contra) -> None:
        """Called when the topic gets its first subscriber."""

    def close(self, topic: TopicT_contra) -> None:
        """Called when the topic loses its last subscriber."""

    async def first(self, topic: TopicT_contra, size: int) -> First | None:
        """The first message of a subscription, or None when it begins with the next update.

        `size` is the size that the client requested, such as a number of candles. Updates
        published after this has returned are sent after it, so it must not await between reading
        the data and returning. It may raise.
        """


class Subscriptions(Generic[TopicT]):
    """The subscriptions of every connection.

    They end with their connection, provided that the hub belongs to an endpoint.
    """

    def __init__(
        self,
        hub: Hub,
        source_of: Callable[[TopicT], Source[TopicT]],
        on_failure: Callable[[Connection, TopicT, Exception], None],
    ) -> None:
        """`on_failure` is called with the error that a subscription has ended by, since its first
        message could not be made: it logs the error and reports it to the client."""
        self._hub = hub
        self._source_of = source_of
        self._on_failure = on_failure
        self._topics: dict[Connection, dict[TopicT, None]] = {}
        self._subscribers: dict[TopicT, int] = {}
        self._provisional: defaultdict[TopicT, dict[Connection, int]] = defaultdict(dict)
        self._deliveries = Deliveries()
        hub.on_drop.append(self._drop)

    def of(self, connection: Connection) -> Collection[TopicT]:
        """The topics of one connection, in the order of their acceptance."""
        return self._topics.get(connection, {}).keys()

    def has(self, connection: Connection, topic: TopicT) -> bool:
        """Whether the connection is subscribed to the topic."""
        return topic in self._topics.get(connection, ())

    def subscribers(self, topic: TopicT) -> int:
        """The number of connections subscribed to a topic, also before their first message."""
        return self._subscribers.get(topic, 0)

    @property
    def total(self) -> int:
        """Subscriptions of all connections together."""
        return sum(self._subscribers.values())

    def add(self, connection: Connection, topic: TopicT, size: int = 0) -> None:
        """Accept a subscription in a handler; its first message follows the reply.

        An existing one starts again, with another first message.
        """
        self._accept(connection, topic)
        connection.after_reply(partial(self._begin, connection, topic, size))

    def start(self, connection: Connection, topic: TopicT, size: int = 0) -> None:
        """Accept a subscription outside of a request, such as one that the address of a connection
        names; its first message follows at once."""
        self._accept(connection, topic)
        self._begin(connection, topic, size)

    def replace(self, connection: Connection, topic: TopicT, other: TopicT) -> None:
        """Go on with another topic, which has the same messages in another form.

        No message is missed, and there is no first one; a topic whose first message has not been
        sent yet starts as the other.
        """
        is_begun = self._hub.has(connection, topic)
        self._accept(connection, other)
        if is_begun:
            self._hub.subscribe(connection, other)
        else:
            self._begin(connection, other, 0)
        self.remove(connection, topic)

    def remove(self, connection: Connection, topic: TopicT) -> bool:
        """End a subscription; False when there is none."""
        topics = self._topics.get(connection, {})
        if topic not in topics:
            return False
        del topics[topic]
        source = self._source_of(topic)
        self._hub.unsubscribe(connection, topic)
        self._deliveries.cancel(connection, id(source), topic)
        self._provisional[topic].pop(connection, None)
        self._subscribers[topic] -= 1
        if not self._subscribers[topic]:
            del self._subscribers[topic]
            del self._provisional[topic]
            source.close(topic)
        return True

    def renew(self, topics: Iterable[TopicT]) -> None:
        """Send the first message again to those that got a provisional one."""
        for topic in topics:
            for connection, size in self._provisional.pop(topic, {}).items():
                self._begin(connection, topic, size)

    def _drop(self, connection: Connection) -> None:
        """Drop a connection that has ended."""
        self._deliveries.drop(connection)
        for topic in list(self.of(connection)):
            self.remove(connection, topic)
        self._topics.pop(connection, None)

    def _accept(self, connection: Connection, topic: TopicT) -> None:
        topics = self._topics.setdefault(connection, {})
        if topic not in topics:
            topics[topic] = None
            self._subscribers[topic] = self._subscribers.get(topic, 0) + 1
            if self._subscribers[topic] == 1:
                self._source_of(topic).open(topic)

    def _begin(self, connection: Connection, topic: TopicT, size: int) -> None:
        if self.has(connection, topic):
            lane = id(self._source_of(topic))
            work = partial(self._deliver, connection, topic, size)
            self._deliveries.add(connection, lane, topic, work)

    async def _deliver(self, connection: Connection, topic: TopicT, size: int) -> None:
        await connection.writable()
        if not self.has(connection, topic):
            return
        try:
            first = await self._source_of(topic).first(topic, size)
            if not self.has(connection, topic):
                return
            if first is not None:
                if first.is_provisional:
                    self._provisional[topic][connection] = size
                connection.send(first.payload)
            self._hub.subscribe(connection, topic)
        except Exception as error:
            if self.remove(connection, topic):
                self._on_failure(connection, topic, error)
