"""Fan-out by form: a message is made once for each form in which somebody gets it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import NamedTuple, Protocol

from asyncapi_server import First, Hub, Update
from generated.binance.encoders import (
    AggTradeJson,
    BookTickerJson,
    DayTickerJson,
    KlineJson,
    MiniTickerJson,
)
from handlers.binance.stream import messages
from handlers.binance.stream.names import FORMS, Stream, Topic

Data = AggTradeJson | KlineJson | MiniTickerJson | DayTickerJson | BookTickerJson
Make = Callable[[int], Data]
"""Makes a message with its times in a unit."""


class Message(NamedTuple):
    """A message of a stream, yet to be made."""

    stream: Stream
    make: Make
    key: Hashable = None
    """A newer message of the stream with the same key replaces this one while it is unsent."""


class StreamSource(Protocol):
    """Publishes the messages of some streams while they are open."""

    def open(self, stream: Stream) -> None:
        """Called when the stream gets its first subscriber."""

    def close(self, stream: Stream) -> None:
        """Called when the stream loses its last subscriber."""

    async def first(self, stream: Stream) -> Make | None:
        """The first message of a subscription, or None when it begins with the next one."""


class Fan:
    """Publishes messages in the forms that have subscribers."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def publish(self, published: Iterable[Message]) -> None:
        """Publish messages."""
        self._hub.publish(update for message in published for update in self._updates(message))

    def _updates(self, message: Message) -> Iterator[Update]:
        made: dict[int, Data] = {}
        for form in FORMS:
            topic = Topic(message.stream, form)
            if self._hub.subscribers(topic):
                if form.unit not in made:
                    made[form.unit] = message.make(form.unit)
                yield Update(topic, _written(topic, made[form.unit]), message.key)


class ByForm:
    """A source of streams as one of their topics."""

    def __init__(self, source: StreamSource) -> None:
        self._source = source
        self._open: Counter[Stream] = Counter()
        """How many forms of each stream are open."""

    def open(self, topic: Topic) -> None:
        """Open the stream with the first of its forms."""
        self._open[topic.stream] += 1
        if self._open[topic.stream] == 1:
            self._source.open(topic.stream)

    def close(self, topic: Topic) -> None:
        """Close the stream with the last of its forms."""
        self._open[topic.stream] -= 1
        if not self._open[topic.stream]:
            del self._open[topic.stream]
            self._source.close(topic.stream)

    async def first(self, topic: Topic, size: int) -> First | None:  # noqa: ARG002
        """The first message, in the topic's form."""
        make = await self._source.first(topic.stream)
        return None if make is None else First(_written(topic, make(topic.form.unit)))


def _written(topic: Topic, data: Data) -> bytes:
    return messages.combined(topic.stream, data) if topic.form.is_combined else data
