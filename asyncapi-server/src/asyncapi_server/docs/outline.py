"""The order of a page: each message in full at one place, with an id of its own, and what answers
a request beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice

from asyncapi_server.docs.anchors import Anchors
from asyncapi_server.docs.description import (
    ChannelDescription,
    Description,
    MessageDescription,
    OperationDescription,
    ServerDescription,
)
from asyncapi_server.document.refusals import names_error

MAX_LISTED = 50
"""Messages that are listed with another one."""
MAX_COPIED_LINES = 3_000
"""Lines of tables that are repeated at each request that they answer; with more, none are."""
RESERVED = ("about", "content", "findings", "servers")
"""Ids of the page's own chapters."""


class Role(Enum):
    """The part that a message plays for readers."""

    REQUEST = "client sends"
    REPLY = "reply"
    ERROR = "error"
    EVENT = "server sends"


@dataclass(frozen=True, slots=True)
class Card:
    """A message in full."""

    message: MessageDescription
    anchor: str
    role: Role
    operations: tuple[tuple[OperationDescription, str], ...] = ()
    """The operations that list no other message, each with its id."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A message that may answer a request."""

    card: Card
    is_here: bool
    """Whether its place is at this request; it is shown in full elsewhere otherwise."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request with its answers."""

    card: Card
    answers: tuple[Answer, ...]
    more: int
    """Answers that are not listed."""


@dataclass(frozen=True, slots=True)
class Section:
    """A channel."""

    channel: ChannelDescription
    anchor: str
    operations: tuple[tuple[OperationDescription, str, tuple[Card, ...]], ...]
    """The operations that list several messages, each with its id and their cards."""
    exchanges: tuple[Exchange, ...]
    shared: tuple[Card, ...]
    """The messages that answer several requests."""
    events: tuple[Card, ...]
    """The messages that are sent unprompted."""
    received: Mapping[str, str]
    """The id of each request by its name."""
    sent: Mapping[str, str]
    """The id of each message that the server sends by its name."""


@dataclass(frozen=True, slots=True)
class ServerSection:
    """A server, with the requests that it admits; None: all of them."""

    server: ServerDescription
    anchor: str
    admits: tuple[Card, ...] | None


@dataclass(frozen=True, slots=True)
class Outline:
    """A whole page."""

    description: Description
    servers: tuple[ServerSection, ...]
    sections: tuple[Section, ...]
    copies: bool
    """Whether messages that answer several requests are repeated at each of them."""
    anchors: Anchors = field(compare=False)
    """For the headings inside of texts."""


def outline(description: Description) -> Outline:
    """The outline of a page."""
    anchors = Anchors(RESERVED)
    sections = tuple(_section(channel, anchors) for channel in description.channels)
    servers = tuple(
        ServerSection(server, anchors.of(f"server-{server.name}"), _admitted(server.name, sections))
        for server in description.servers
    )
    copied = sum(
        len(answer.card.message.rows)
        for section in sections
        for exchange in section.exchanges
        for answer in exchange.answers
        if not answer.is_here
    )
    return Outline(description, servers, sections, copied <= MAX_COPIED_LINES, anchors)


def _section(channel: ChannelDescription, anchors: Anchors) -> Section:
    own = {id(each): _operation_anchor(each, anchors) for each in channel.operations}

    def card(message: MessageDescription, role: Role) -> Card:
        name, way = message.name, "received" if role is Role.REQUEST else "sent"
        full = f"{name}@{channel.address}"
        anchor = anchors.of(name, full, f"{full} {way}")
        alone = tuple((o, own[id(o)]) for o in message.operations if len(o.messages) == 1)
        return Card(message, anchor, role, alone)

    requests = [card(message, Role.REQUEST) for message in channel.receives]
    sent = {message.name: card(message, _role(message)) for message in channel.sends}
    known = {each.message.identity: each for each in (*sent.values(), *requests)}
    order = {identity: number for number, identity in enumerate(known)}

    def listed(operation: OperationDescription) -> tuple[Card, ...]:
        identities = sorted(operation.messages & order.keys(), key=order.__getitem__)
        return tuple(known[identity] for identity in identities)

    several = [each for each in channel.operations if len(each.messages) != 1]
    return Section(
        channel=channel,
        anchor=anchors.of(f"channel-{channel.address}"),
        operations=tuple((each, own[id(each)], listed(each)) for each in several),
        exchanges=tuple(_exchange(each, sent) for each in requests),
        shared=tuple(c for c in sent.values() if not c.message.unasked and not _has_place(c)),
        events=tuple(c for c in sent.values() if c.message.unasked),
        received={c.message.name: c.anchor for c in requests},
        sent={c.message.name: c.anchor for c in sent.values()},
    )


def _operation_anchor(operation: OperationDescription, anchors: Anchors) -> str:
    return anchors.of(f"operation-{operation.name}") if operation.name else ""


def _role(message: MessageDescription) -> Role:
    if message.unasked:
        return Role.EVENT
    return Role.ERROR if names_error(message.name) else Role.REPLY


def _has_place(card: Card) -> bool:
    """Whether a message is shown at the one request that it answers."""
    return len(card.message.asked_by) == 1 and not card.message.unasked


def _exchange(request: Card, sent: Mapping[str, Card]) -> Exchange:
    names = request.message.answers
    cards = [sent[name] for name in islice(names, MAX_LISTED)]
    return Exchange(
        request,
        tuple(Answer(card, _has_place(card)) for card in cards),
        len(names) - len(cards),
    )


def _admitted(server: str, sections: Sequence[Section]) -> tuple[Card, ...] | None:
    requests = [exchange.card for section in sections for exchange in section.exchanges]
    admitted = [c for c in requests if c.message.servers is None or server in c.message.servers]
    return None if len(admitted) == len(requests) else tuple(islice(admitted, MAX_LISTED))


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the table of contents."""

    text: str
    anchor: str
    level: int
    """1 is a chapter, 2 a part of it, 3 a part of a part."""
    way: str = ""
    """The direction of a message: "up" from the client, "down" to it."""


def contents(page: Outline, about: Iterable[Entry] = ()) -> Iterator[Entry]:
    """The table of contents; `about` has the headings of the text about the whole."""
    yield from about
    if page.description.findings:
        yield Entry("Not served", "findings", 1)
    if page.servers:
        yield Entry("Servers", "servers", 1)
    for section in page.sections:
        channel = section.channel
        yield Entry(channel.about.title or channel.address, section.anchor, 1)
        for exchange in section.exchanges:
            yield Entry(exchange.card.message.title, exchange.card.anchor, 2, "up")
            for answer in exchange.answers:
                if answer.is_here:
                    yield Entry(answer.card.message.title, answer.card.anchor, 3, "down")
        for card in (*section.shared, *section.events):
            yield Entry(card.message.title, card.anchor, 2, "down")
