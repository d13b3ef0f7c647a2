"""Reading AsyncAPI 3.0 and 3.1, where operations say what the server receives and sends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from asyncapi_server.document.messages import MessageReader, merged, narrowed
from asyncapi_server.document.model import Channel, Document, Identity, Message, Server
from asyncapi_server.document.source import Node
from asyncapi_server.errors import Finding


def read(root: Node) -> tuple[Document, list[Finding]]:
    """Read a document; returns it with every fault found on the way."""
    reader = MessageReader(name for name, _ in root.items_of("servers"))
    servers = {}
    for name, node in root.items_of("servers"):
        server = reader.follow(node)
        if server is not None:
            address = (server.text("host") or "") + (server.text("pathname") or "")
            servers[name] = Server(name, address, server.text("protocol") or "")
    channels = _Channels(root, reader)
    for _, node in root.items_of("operations"):
        operation = reader.follow(node)
        if operation is not None:
            channels.operation(operation)
    info = root.raw("info") or root
    document = Document(
        title=info.text("title") or "",
        version=info.text("version") or "",
        asyncapi=root.text("asyncapi") or "",
        place=root.place,
        servers=servers,
        channels=channels.by_address(),
    )
    return document, reader.findings


@dataclass
class _Traffic:
    """One channel object while its operations are read."""

    node: Node
    messages: dict[Identity, tuple[str, Node]]
    """By identity: the key in the channel, and the node there."""
    receives: dict[Identity, list[tuple[Identity, ...] | None]] = field(default_factory=dict)
    """The messages received, each with the replies of each operation that receives it."""
    sends: dict[Identity, None] = field(default_factory=dict)


class _Channels:
    def __init__(self, root: Node, reader: MessageReader) -> None:
        self.reader = reader
        self.traffic: dict[Identity, _Traffic] = {}
        for _, node in root.items_of("channels"):
            channel = reader.follow(node)
            if channel is None or channel.identity in self.traffic:
                continue
            messages = {}
            for name, member in channel.items_of("messages"):
                target = reader.follow(member)
                if target is not None:
                    messages[target.identity] = (name, member)
            self.traffic[channel.identity] = _Traffic(channel, messages)

    def operation(self, node: Node) -> None:
        """Record what one operation makes the server receive, send and reply."""
        traffic = self._channel(node)
        if traffic is None:
            return
        messages = self._messages(node, traffic)
        if node.text("action") == "send":
            traffic.sends.update(dict.fromkeys(messages))
            return
        replies = self._replies(node, traffic)
        for identity in messages:
            traffic.receives.setdefault(identity, []).append(replies)

    def by_address(self) -> dict[str, Channel]:
        """The channels by address, those of one address merged."""
        found: dict[str, list[Channel]] = defaultdict(list)
        for traffic in self.traffic.values():
            address = traffic.node.text("address")
            if address is None:
                if traffic.receives or traffic.sends:
                    self.reader.fault(traffic.node, "a channel without an address is not served")
                continue
            found[address].append(self._read(address, traffic))
        return {address: merged(address, channels) for address, channels in found.items()}

    def _read(self, address: str, traffic: _Traffic) -> Channel:
        servers = self.reader.servers(traffic.node.raw("servers"))

        def message(identity: Identity) -> Message | None:
            name, node = traffic.messages[identity]
            found = self.reader.message(node, name)
            return narrowed(found, servers) if found is not None else None

        received = []
        for identity, replies in traffic.receives.items():
            found = message(identity)
            if found is not None:
                received.append(replace(found, reply=_union(replies)))
        sent = [found for identity in traffic.sends if (found := message(identity)) is not None]
        return Channel(address, traffic.node.place, tuple(received), tuple(sent))

    def _channel(self, node: Node) -> _Traffic | None:
        declared = node.raw("channel")
        target = self.reader.follow(declared) if declared else None
        if target is None or target.identity not in self.traffic:
            self.reader.fault(node, "names no channel of this document")
            return None
        return self.traffic[target.identity]

    def _messages(self, node: Node, traffic: _Traffic) -> list[Identity]:
        """The messages that an operation or a reply lists; without a list, all of its channel."""
        listed = node.raw("messages")
        if listed is None:
            return list(traffic.messages)
        found = []
        for element in listed.elements():
            target = self.reader.follow(element)
            if target is None:
                continue
            if target.identity in traffic.messages:
                found.append(target.identity)
            else:
                self.reader.fault(
                    element, f"{target.key!r} is not a message of the channel {traffic.node.key!r}"
                )
        return found

    def _replies(self, node: Node, traffic: _Traffic) -> tuple[Identity, ...] | None:
        """The messages of an operation's reply, which the server then also sends."""
        declared = node.raw("reply")
        reply = self.reader.follow(declared) if declared else None
        if reply is None:
            return None
        target = self._channel(reply) if reply.raw("channel") else traffic
        if target is None:
            return None
        replies = self._messages(reply, target)
        # A reply leaves over the connection of its request, whatever channel it names.
        for identity in replies:
            traffic.messages.setdefault(identity, target.messages[identity])
            traffic.sends.setdefault(identity)
        return tuple(replies)


def _union(replies: Iterable[tuple[Identity, ...] | None]) -> tuple[Identity, ...] | None:
    declared = [reply for reply in replies if reply is not None]
    if not declared:
        return None
    return tuple(dict.fromkeys(identity for reply in declared for identity in reply))
