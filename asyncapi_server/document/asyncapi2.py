"""Reading AsyncAPI 2.0 to 2.6, where `publish` is what clients send to the server."""

from __future__ import annotations

from asyncapi_server.document.messages import MessageReader, merged, narrowed
from asyncapi_server.document.model import Channel, Document, Message, Server
from asyncapi_server.document.source import Node
from asyncapi_server.errors import Finding


def read(root: Node) -> tuple[Document, list[Finding]]:
    """Read a document; returns it with every fault found on the way."""
    reader = MessageReader(name for name, _ in root.items_of("servers"))
    servers = {}
    for name, node in root.items_of("servers"):
        server = reader.follow(node)
        if server is not None:
            url = server.text("url") or ""
            address = url.partition("://")[2] or url
            servers[name] = Server(name, address, server.text("protocol") or "")
    channels = {}
    for address, node in root.items_of("channels"):
        item = reader.follow(node)
        if item is not None:
            channels[address] = merged(address, [_channel(address, item, reader)])
    info = root.raw("info") or root
    document = Document(
        title=info.text("title") or "",
        version=info.text("version") or "",
        asyncapi=root.text("asyncapi") or "",
        place=root.place,
        servers=servers,
        channels=channels,
    )
    return document, reader.findings


def _channel(address: str, item: Node, reader: MessageReader) -> Channel:
    servers = reader.servers(item.raw("servers"))

    def messages(operation: str) -> tuple[Message, ...]:
        found = _messages(item.raw(operation), reader)
        return tuple(narrowed(message, servers) for message in found)

    return Channel(address, item.place, messages("publish"), messages("subscribe"))


def _messages(operation: Node | None, reader: MessageReader) -> list[Message]:
    declared = operation.raw("message") if operation else None
    if operation is None or declared is None:
        return []
    one_of = declared.raw("oneOf") if declared.reference is None else None
    alternatives = list(one_of.elements()) if one_of else [declared]
    found = []
    for number, alternative in enumerate(alternatives):
        fallback = f"{operation.text('operationId') or operation.key}_{number}"
        message = reader.message(alternative, _name(alternative, reader) or fallback)
        if message is not None:
            found.append(message)
    return found


def _name(node: Node, reader: MessageReader) -> str | None:
    """The message's own id, its key under components, or its `name`."""
    target = reader.follow(node)
    if target is None:
        return None
    key = target.key if node.reference is not None else None
    return target.text("messageId") or key or target.text("name")
