"""The handshake of a channel: parameters of its address, and its WebSocket bindings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from asyncapi_server.document.messages import MessageReader
from asyncapi_server.document.model import Handshake, Schema
from asyncapi_server.document.source import Node
from asyncapi_server.findings import Rule

_BINDINGS = ("ws", "websockets")


def handshake(channel: Node, reader: MessageReader) -> Handshake:
    """The handshake of a channel object of any version."""
    bindings = _bindings(channel, reader)
    method = bindings.text("method") if bindings is not None else None
    if method is not None and method.upper() != "GET":
        text = f"a WebSocket is opened by GET (RFC 6455), not by {method}"
        reader.fault(bindings or channel, text, Rule.HANDSHAKE)
    return Handshake(
        dict(_parameters(channel, reader)),
        _part(bindings, "query", reader),
        _part(bindings, "headers", reader),
    )


def merged_handshake(handshakes: Sequence[Handshake]) -> Handshake:
    """The handshake of an address with several channel objects: what the first that speaks of a
    part demands."""
    parameters: dict[str, Schema] = {}
    for each in reversed(handshakes):
        parameters |= each.parameters
    return Handshake(
        parameters,
        next((each.query for each in handshakes if each.query is not None), None),
        next((each.headers for each in handshakes if each.headers is not None), None),
    )


def _bindings(channel: Node, reader: MessageReader) -> Node | None:
    declared = channel.raw("bindings")
    bindings = reader.follow(declared) if declared is not None else None
    for name in _BINDINGS:
        found = bindings.raw(name) if bindings is not None else None
        if found is not None:
            return reader.follow(found)
    return None


def _part(bindings: Node | None, name: str, reader: MessageReader) -> Schema | None:
    declared = bindings.raw(name) if bindings is not None else None
    return reader.schema(declared) if declared is not None else None


def _parameters(channel: Node, reader: MessageReader) -> Iterator[tuple[str, Schema]]:
    for name, declared in channel.items_of("parameters"):
        parameter = reader.follow(declared)
        if parameter is None:
            continue
        schema = parameter.raw("schema")
        if schema is not None:  # of 2.x
            yield name, reader.schema(schema) or {}
            continue
        enum = parameter.raw("enum")
        is_list = enum is not None and isinstance(enum.value, list)
        yield name, {"type": "string", **({"enum": enum.value} if enum and is_list else {})}
