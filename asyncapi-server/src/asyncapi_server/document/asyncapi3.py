"""Reading AsyncAPI 3.0 and 3.1, where operations say what the server receives and sends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import NamedTuple

from asyncapi_server.document.channels import (
    ChannelObject,
    merged,
    narrowed,
    speaks_websocket,
)
from asyncapi_server.document.handshake import handshake
from asyncapi_server.document.messages import MessageReader
from asyncapi_server.document.model import Channel, Document, Identity, Message, Security, Server
from asyncapi_server.document.security import either, security
from asyncapi_server.document.source import DanglingReference, Node
from asyncapi_server.findings import Rule


def read(root: Node, *, as_client: bool) -> Document:
    """Read a document as far as possible; `as_client` turns the directions of one of a client."""
    reader = MessageReader(root, traits_win=False)
    servers = {}
    for name, node in root.items_of("servers"):
        server = reader.follow(node)
        if server is not None:
            address = (server.text("host") or "") + (server.text("pathname") or "")
            demands = security(server.raw("security"), reader)
            servers[name] = Server(name, address, server.text("protocol") or "", demands)
    channels = _Channels(root, reader, servers, "send" if as_client else "receive")
    for _, node in root.items_of("operations"):
        operation = reader.follow(node)
        if operation is not None:
            channels.operation(operation)
    info = root.raw("info") or root
    by_address = channels.by_address()
    return Document(
        title=info.text("title") or "",
        version=info.text("version") or "",
        asyncapi=root.text("asyncapi") or "",
        place=root.place,
        servers=servers,
        channels=by_address,
        others=tuple(reader.others(by_address.values())),
        findings=reader.findings,
    )


class _Operation(NamedTuple):
    """An operation that receives messages."""

    replies: tuple[Identity, ...] | None
    security: Security


@dataclass
class _Traffic:
    """One channel object while its operations are read. Messages have the identity of their place
    in the channel here, whatever they refer to."""

    node: Node
    messages: dict[Identity, tuple[str, Node]]
    """The key of each message in the channel, and the node there."""
    receives: dict[Identity, list[_Operation]] = field(default_factory=dict)
    """The messages received, each with the operations that receive it."""
    sends: dict[Identity, None] = field(default_factory=dict)

    def member(self, target: Node) -> Identity | None:
        """The message of the channel that a node is, or refers to the same one as."""
        if target.identity in self.messages:
            return target.identity
        with suppress(DanglingReference):
            wanted = target.follow().identity
            for identity, (_, node) in self.messages.items():
                if node.follow().identity == wanted:
                    return identity
        return None


class _Channels:
    def __init__(
        self, root: Node, reader: MessageReader, servers: Mapping[str, Server], received: str
    ) -> None:
        """`received` is the action of what the server receives."""
        self.reader = reader
        self.servers = servers
        self.received = received
        self.traffic: dict[Identity, _Traffic] = {}
        for _, node in root.items_of("channels"):
            channel = reader.follow(node)
            if channel is None or channel.identity in self.traffic:
                continue
            messages = {
                member.identity: (name, member)
                for name, member in channel.items_of("messages")
                if reader.follow(member) is not None
            }
            self.traffic[channel.identity] = _Traffic(channel, messages)

    def operation(self, node: Node) -> None:
        """Record what one operation makes the server receive, send and reply."""
        traffic = self._channel(node)
        if traffic is None:
            return
        messages = self._messages(node, traffic)
        replies = self._replies(node, traffic)
        if node.text("action") != self.received:
            traffic.sends.update(dict.fromkeys(messages))
            for identity in replies or ():
                traffic.receives.setdefault(identity, [])
            return
        operation = self.reader.traited(node)
        received = _Operation(replies, security(operation.raw("security"), self.reader))
        for identity in messages:
            traffic.receives.setdefault(identity, []).append(received)
        traffic.sends.update(dict.fromkeys(replies or ()))

    def by_address(self) -> dict[str, Channel]:
        """The channels by address, those of one address merged."""
        found: dict[str, list[ChannelObject]] = defaultdict(list)
        for traffic in self.traffic.values():
            node, address = traffic.node, traffic.node.text("address")
            servers = self.reader.servers(node.raw("servers"))
            if not speaks_websocket(self.servers, servers):
                text = f"{node.key!r} is no channel of a WebSocket server"
                self.reader.fault(node, text, Rule.PROTOCOL)
            elif address is not None:
                found[address].append(self._read(traffic, servers))
            elif traffic.receives or traffic.sends:
                text = f"{node.key!r} has no address: what passes there is not served"
                self.reader.fault(node, text, Rule.ADDRESS)
        return {address: merged(address, channels) for address, channels in found.items()}

    def _read(self, traffic: _Traffic, servers: frozenset[str] | None) -> ChannelObject:
        read: dict[Identity, Message] = {}
        for identity in (*traffic.receives, *traffic.sends):
            name, node = traffic.messages[identity]
            found = self.reader.message(node, name)
            if found is not None:
                read[identity] = narrowed(found, servers)
        received = [
            replace(
                read[identity],
                reply=_union([each.replies for each in operations], read),
                security=reduce(either, [each.security for each in operations] or [()]),
            )
            for identity, operations in traffic.receives.items()
            if identity in read
        ]
        sent = [read[identity] for identity in traffic.sends if identity in read]
        demands = handshake(traffic.node, self.reader)
        return ChannelObject(traffic.node.key, traffic.node.place, received, sent, demands)

    def _channel(self, node: Node) -> _Traffic | None:
        declared = node.raw("channel")
        target = self.reader.follow(declared) if declared else None
        if target is None or target.identity not in self.traffic:
            self.reader.fault(node, "names no channel of this document", Rule.OPERATION)
            return None
        return self.traffic[target.identity]

    def _messages(self, node: Node, traffic: _Traffic) -> list[Identity]:
        """The messages that an operation or a reply lists; without a list, all of its channel."""
        listed = node.raw("messages")
        if listed is None:
            return list(traffic.messages)
        found = []
        for element in listed.elements():
            try:
                target = element.target(element.reference) if element.reference else element
            except DanglingReference as error:
                self.reader.fault(element, str(error), Rule.REFERENCE)
                continue
            member = traffic.member(target)
            if member is not None:
                found.append(member)
            if element.reference is None or member != target.identity:
                text = (
                    f"{target.key!r} is not a message of the channel {traffic.node.key!r}: refer "
                    f"to #/channels/{traffic.node.key}/messages"
                )
                self.reader.fault(element, text, Rule.OPERATION)
        return found

    def _replies(self, node: Node, traffic: _Traffic) -> tuple[Identity, ...] | None:
        """The messages of an operation's reply, as messages of the channel of the request.

        They pass over the connection of their request, unless the document says otherwise: then
        they are not served as replies.
        """
        declared = node.raw("reply")
        reply = self.reader.follow(declared) if declared else None
        if reply is None or (reply.raw("channel") is None and reply.raw("messages") is None):
            return None
        target = self._channel(reply) if reply.raw("channel") else traffic
        if target is None:
            return None
        replies = self._messages(reply, target)
        address = target.node.text("address")
        if address not in (None, traffic.node.text("address")):
            text = f"the reply goes to {address!r}, which is another connection than its request's"
            self.reader.fault(reply, text, Rule.REPLY)
            target.sends.update(dict.fromkeys(replies))
            return None
        for identity in replies:
            traffic.messages.setdefault(identity, target.messages[identity])
        return tuple(replies)


def _union(
    replies: Iterable[tuple[Identity, ...] | None], messages: Mapping[Identity, Message]
) -> tuple[Identity, ...] | None:
    """The replies of all operations that receive a message, as what they refer to."""
    declared = [reply for reply in replies if reply is not None]
    if not declared:
        return None
    listed = (identity for reply in declared for identity in reply if identity in messages)
    return tuple(dict.fromkeys(messages[identity].identity for identity in listed))
