"""Putting the channel objects of one address together, and what of them can be served."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from asyncapi_server.document.discriminator import Discriminator
from asyncapi_server.document.handshake import merged_handshake
from asyncapi_server.document.model import Channel, Handshake, Identity, Message, Server
from asyncapi_server.document.security import either
from asyncapi_server.document.signature import signature
from asyncapi_server.findings import Finding, Place, Rule
from asyncapi_server.names import snake_case


@dataclass(frozen=True, slots=True)
class ChannelObject:
    """A channel object of the document."""

    key: str
    """Its name in the document."""
    place: Place
    receives: Sequence[Message]
    sends: Sequence[Message]
    handshake: Handshake


MAX_AMBIGUOUS = 1_000
"""Pairs of messages that are named because some value may be both."""
WEBSOCKET = frozenset({"ws", "wss", "websocket", "websockets"})
"""The protocols of servers that are served."""


def speaks_websocket(servers: Mapping[str, Server], names: frozenset[str] | None) -> bool:
    """Whether a channel is one of WebSocket, by the names of its servers, None for all.

    Where no server speaks it, the document is served as if all did.
    """
    speaking = {name for name, server in servers.items() if server.protocol in WEBSOCKET}
    return not speaking or not names or bool(names & speaking)


def merged(address: str, objects: Sequence[ChannelObject]) -> Channel:
    """The channel objects of one address as one: each message once, admitted by any of them.

    Different messages of one name are named after their channels too.
    """
    named = _named(objects)
    return Channel(
        address,
        objects[0].place,
        _merged(message for each in named for message in each.receives),
        _merged(message for each in named for message in each.sends),
        merged_handshake([each.handshake for each in objects]),
    )


def narrowed(message: Message, servers: frozenset[str] | None) -> Message:
    """The message, admitted only by servers of its channel."""
    if servers is None:
        return message
    own = servers if message.servers is None else servers & message.servers
    return replace(message, servers=own)


def served(channel: Channel) -> tuple[Channel, list[Finding]]:
    """What of a channel can be served, and a finding for each message or reply that cannot."""
    findings: list[Finding] = []
    receives: list[Message] = []
    alike: dict[str, list[Message]] = defaultdict(list)
    """The messages that are served, by the text of their schemas."""
    for message in channel.receives:
        known = alike[json.dumps(message.schema, sort_keys=True)] if message.is_read else []
        twin = next((each for each in known if not _admit_apart(each, message)), None)
        if twin is None:
            receives.append(message)
            known.append(message)
            continue
        text = (
            f"the payload of {message.name!r} is that of {twin.name!r}, so they cannot be "
            "distinguished: give each a constant"
        )
        findings.append(Finding(message.place, text, Rule.TWIN))
    sent = {message.identity for message in channel.sends}
    for message in channel.receives:
        for _, pointer in (identity for identity in message.responses if identity not in sent):
            text = (
                f"{message.name!r} is answered by {pointer}, which is no message that the server "
                f"sends at {channel.address!r}"
            )
            findings.append(Finding(message.place, text, Rule.REPLY))
    return replace(channel, receives=tuple(receives)), findings


def ambiguous(channel: Channel) -> Iterator[Finding]:
    """A finding for each pair of messages of one direction that some value may both be."""
    for messages in (channel.receives, channel.sends):
        by_name = {message.name: message for message in messages}
        apart = discriminator(messages)
        for one, two in itertools.islice(apart.overlaps(), MAX_AMBIGUOUS):
            if _admit_apart(by_name[one], by_name[two]):
                continue
            optional = apart.optional(one, two)
            why = (
                f"their {optional} differs, but neither requires it"
                if optional
                else "at no place do their schemas demand different constants"
            )
            text = f"{one!r} and {two!r} are distinguished by what validates first: {why}"
            yield Finding(by_name[two].place, text, Rule.AMBIGUOUS)


def discriminator(messages: Iterable[Message]) -> Discriminator:
    """The discriminator of these messages of one direction."""
    return Discriminator({message.name: signature(message.schema) for message in messages})


def _admit_apart(one: Message, two: Message) -> bool:
    """Whether no server admits both."""
    return one.servers is not None and two.servers is not None and not one.servers & two.servers


def _named(objects: Sequence[ChannelObject]) -> list[ChannelObject]:
    """The channel objects with a name of its own for each message of a direction."""
    received = _names([(each.key, message) for each in objects for message in each.receives])
    sent = _names([(each.key, message) for each in objects for message in each.sends])
    return [
        replace(
            each,
            receives=[replace(m, name=received[m.name, m.identity]) for m in each.receives],
            sends=[replace(m, name=sent[m.name, m.identity]) for m in each.sends],
        )
        for each in objects
    ]


def _names(messages: Sequence[tuple[str, Message]]) -> dict[tuple[str, Identity], str]:
    """The name of each message, which comes with the key of its channel.

    It is its own where no other message has it, else one with that of its channel before it. Names
    that are one in snake case count as one: handlers are named by them.
    """
    holders: dict[str, dict[tuple[str, Identity], str]] = {}
    for key, message in messages:
        name = snake_case(message.name)
        holders.setdefault(name, {}).setdefault((message.name, message.identity), key)
    taken = {name for name, holding in holders.items() if len(holding) == 1}
    names: dict[tuple[str, Identity], str] = {}
    for name, holding in holders.items():
        channels = len(set(holding.values())) > 1
        for identified, key in holding.items():
            own = identified[0]
            if name not in taken or len(holding) > 1:
                wanted = f"{key}_{own}" if channels else own
                own = next(n for n in _numbered(wanted) if snake_case(n) not in taken)
                taken.add(snake_case(own))
            names[identified] = own
    return names


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}_{number}" for number in itertools.count(2))


def _merged(messages: Iterable[Message]) -> tuple[Message, ...]:
    result: dict[tuple[str, Identity], Message] = {}
    for message in messages:
        key = (message.name, message.identity)
        known = result.get(key)
        result[key] = message if known is None else _union(known, message)
    return tuple(result.values())


def _union(one: Message, two: Message) -> Message:
    servers = None
    if one.servers is not None and two.servers is not None:
        servers = one.servers | two.servers
    reply = None
    if one.reply is not None or two.reply is not None:
        reply = tuple(dict.fromkeys((*(one.reply or ()), *(two.reply or ()))))
    security = either(one.security, two.security)
    return replace(one, servers=servers, reply=reply, security=security)
