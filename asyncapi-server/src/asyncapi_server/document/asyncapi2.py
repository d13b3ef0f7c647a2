"""Reading AsyncAPI 2.0 to 2.6, where `publish` is what clients send to the server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from asyncapi_server.document.channels import (
    ChannelObject,
    merged,
    narrowed,
    speaks_websocket,
)
from asyncapi_server.document.handshake import handshake
from asyncapi_server.document.messages import MessageReader
from asyncapi_server.document.model import Channel, Document, Message, Server
from asyncapi_server.document.security import security
from asyncapi_server.document.source import Node
from asyncapi_server.findings import Rule


def read(root: Node, *, as_client: bool) -> Document:
    """Read a document as far as possible; `as_client` turns the directions of one of a client."""
    reader = MessageReader(root, traits_win=True)
    servers = {}
    for name, node in root.items_of("servers"):
        server = reader.follow(node)
        if server is not None:
            url = server.text("url") or ""
            address = url.partition("://")[2] or url
            demands = security(server.raw("security"), reader)
            servers[name] = Server(name, address, server.text("protocol") or "", demands)
    channels = {}
    for address, node in root.items_of("channels"):
        item = reader.follow(node)
        if item is None:
            continue
        admitting = reader.servers(item.raw("servers"))
        if speaks_websocket(servers, admitting):
            channels[address] = _channel(address, item, admitting, reader, as_client=as_client)
        else:
            reader.fault(item, f"{address!r} is no channel of a WebSocket server", Rule.PROTOCOL)
    info = root.raw("info") or root
    return Document(
        title=info.text("title") or "",
        version=info.text("version") or "",
        asyncapi=root.text("asyncapi") or "",
        place=root.place,
        servers=servers,
        channels=channels,
        others=tuple(reader.others(channels.values())),
        findings=reader.findings,
    )


def _channel(
    address: str,
    item: Node,
    servers: frozenset[str] | None,
    reader: MessageReader,
    *,
    as_client: bool,
) -> Channel:
    def messages(operation: str) -> list[Message]:
        found = _messages(item.raw(operation), reader)
        return [narrowed(message, servers) for message in found]

    received, sent = messages("publish"), messages("subscribe")
    if as_client:
        received, sent = sent, received
    demands = handshake(item, reader)
    return merged(address, [ChannelObject(address, item.place, received, sent, demands)])


def _messages(declared: Node | None, reader: MessageReader) -> list[Message]:
    operation = reader.traited(declared) if declared is not None else None
    message = operation.raw("message") if operation is not None else None
    if operation is None or message is None:
        return []
    one_of = message.raw("oneOf") if message.reference is None else None
    alternatives = list(one_of.elements()) if one_of else [message]
    demands = security(operation.raw("security"), reader)
    found = []
    for number, alternative in enumerate(alternatives):
        fallback = f"{operation.text('operationId') or operation.node.key}_{number}"
        read = reader.message(alternative, _name(alternative, reader) or fallback)
        if read is not None:
            found.append(replace(read, security=demands))
    return found


def _name(node: Node, reader: MessageReader) -> str | None:
    """The message's own id, its key under components, its `name`, or its key in another place."""
    target = reader.follow(node)
    if target is None:
        return None
    message, targets = reader.traited(target), list(_targets(node))
    own = message.text("messageId")
    component = next((each.key for each in targets if _is_component(each)), None)
    elsewhere = next((each.key for each in targets if not each.key.isdigit()), None)
    return own or component or message.text("name") or elsewhere


def _targets(node: Node) -> Iterator[Node]:
    """The values that a reference leads to, one by way of another."""
    while node.reference is not None:
        node = node.target(node.reference)
        yield node


def _is_component(node: Node) -> bool:
    return not node.pointer or node.pointer.rpartition("/")[0].endswith("/messages")
