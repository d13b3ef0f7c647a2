"""Who sends which message where, by the operations of a document, and the replies to it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from asyncapi_server.diff.asyncapi.model import Channel, Identity, Message, Operation, Stream
from asyncapi_server.diff.asyncapi.reading import answers
from asyncapi_server.diff.changes import Side

Way = tuple[str, Side | None]
"""The shape of an address, and whom the messages there concern; None: no operation has them."""
Label = tuple[str, str]
"""The shape of an address and the name of a message there."""


@dataclass(slots=True, eq=False)
class Passage:
    """A message that passes at one address in one direction."""

    name: str
    channel: Channel
    message: Message
    operations: list[Operation] = field(default_factory=list)
    replies: dict[Label, None] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    """The servers of the document."""
    servers: frozenset[str] = frozenset()
    """Those that admit it."""


@dataclass(frozen=True, slots=True, eq=False)
class _Occurrence:
    way: Way
    channel: Channel
    message: Message
    operation: Operation | None = None
    replies: tuple[Label, ...] = ()


class Traffic:
    """The passages of a document."""

    def __init__(self, stream: Stream) -> None:
        self.channels = {channel.shape: channel for channel in reversed(stream.channels)}
        """A channel of each address, by its shape."""
        self._stream = stream
        self._known = frozenset(stream.servers)
        self._ways: dict[Way, dict[str, Passage]] = {}
        occurrences = list(self._occurrences())
        holders: dict[tuple[Way, str], set[Identity]] = {}
        for each in occurrences:
            name = each.way, each.message.name
            holders.setdefault(name, set()).add(each.message.identity)
        for each in occurrences:
            is_alone = len(holders[each.way, each.message.name]) == 1
            own = each.message.name
            self._add(each, own if is_alone else f"{each.channel.key} {own}")

    @property
    def ways(self) -> list[Way]:
        """Every way that has passages."""
        return list(self._ways)

    def passages(self, way: Way) -> dict[str, Passage]:
        """The passages of one way, by name."""
        return self._ways.get(way, {})

    def _occurrences(self) -> Iterator[_Occurrence]:
        passing: set[tuple[str, Identity]] = set()
        for operation in self._stream.operations:
            sides = (Side.READERS, Side.SENDERS)
            asked, answered = reversed(sides) if operation.is_received else sides
            shape = operation.channel.shape
            for message in operation.messages:
                passing.add((shape, message.identity))
                replies = tuple(self._replies(operation, message))
                yield _Occurrence((shape, asked), operation.channel, message, operation, replies)
            for reply in operation.replies:
                shape = reply.channel.shape
                passing.add((shape, reply.message.identity))
                yield _Occurrence((shape, answered), reply.channel, reply.message, operation)
        for channel in self._stream.channels:
            for message in channel.messages:
                if (channel.shape, message.identity) not in passing:
                    yield _Occurrence((channel.shape, None), channel, message)

    def _add(self, each: _Occurrence, wanted: str) -> None:
        """Add an occurrence to the passage of its message, which is numbered after its twins."""
        passages = self._ways.setdefault(each.way, {})
        names = (wanted, *(f"{wanted} {number}" for number in range(2, len(passages) + 2)))
        for name in names:
            passage = Passage(name, each.channel, each.message, known=self._known)
            known = passages.setdefault(name, passage)
            if known.message.identity == each.message.identity:
                break
        lists = (each.channel.servers, each.message.servers)
        known.servers |= self._known.intersection(*(names for names in lists if names is not None))
        known.replies.update(dict.fromkeys(each.replies))
        if each.operation is not None:
            known.operations.append(each.operation)

    def _replies(self, operation: Operation, message: Message) -> Iterator[Label]:
        for reply in operation.replies:
            yield reply.channel.shape, reply.message.name
        shape = operation.channel.shape
        for node in answers(message):
            yield shape, self._name(shape, message.part.follow(node).node.identity) or node.key

    def _name(self, shape: str, identity: Identity) -> str | None:
        """The name of a message at an address."""
        there = (channel for channel in self._stream.channels if channel.shape == shape)
        messages = itertools.chain.from_iterable(channel.messages for channel in there)
        return next((each.name for each in messages if each.identity == identity), None)
