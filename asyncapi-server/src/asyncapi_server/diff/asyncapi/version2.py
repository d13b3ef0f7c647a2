"""Reading AsyncAPI 2.0 to 2.6, where `publish` is what clients send to the server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from asyncapi_server.diff.asyncapi.model import Channel, Message, Operation, Stream
from asyncapi_server.diff.asyncapi.reading import Reader
from asyncapi_server.diff.asyncapi.traits import traited
from asyncapi_server.diff.parts import Part
from asyncapi_server.document.source import Node

_ACTIONS = ("publish", "subscribe")


def read(root: Part) -> Stream:
    """A document; raises DocumentError."""
    reader = Reader(root)
    channels: list[Channel] = []
    operations: list[Operation] = []
    for address, item in root.objects("channels").items():
        found = [
            (action, traited(declared))
            for action in _ACTIONS
            if (declared := item.get(action)) is not None
        ]
        messages = [list(_messages(action, part, reader)) for action, part in found]
        servers = reader.listed(item, "servers")
        everything = [message for each in messages for message in each]
        channel = Channel(address, address, item, servers, everything)
        channels.append(channel)
        operations += [
            _operation(action, part, channel, each)
            for (action, part), each in zip(found, messages, strict=True)
        ]
    return Stream(root, reader.servers, channels, operations)


def _operation(action: str, part: Part, channel: Channel, messages: list[Message]) -> Operation:
    name = part.literal("operationId")
    return Operation(
        name=str(name) if name is not None else f"{action} {channel.address}",
        is_named=name is not None,
        is_received=(action == "publish") is not part.spec.as_client,
        part=part,
        channel=channel,
        messages=messages,
    )


def _messages(action: str, operation: Part, reader: Reader) -> Iterator[Message]:
    declared = operation.raw("message")
    if declared is None:
        return
    one_of = declared.raw("oneOf") if declared.reference is None else None
    alternatives = [declared] if one_of is None else list(one_of.elements())
    for number, node in enumerate(alternatives, 1):
        message = reader.message(node, f"{action} {number}", is_named=False)
        own = message.part.literal
        name = own("messageId") or _key(node, reader) or own("name")
        yield message if name is None else replace(message, name=str(name), is_named=True)


def _key(node: Node, reader: Reader) -> str | None:
    """The key of the first component that a reference leads to."""
    return next(
        (
            step.key
            for step in reader.steps(node)
            if not step.pointer or step.pointer.rpartition("/")[0].endswith("/messages")
        ),
        None,
    )
