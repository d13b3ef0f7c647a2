"""Reading AsyncAPI 3.0 and 3.1, where operations say what the server receives and sends."""

from __future__ import annotations

from collections.abc import Mapping

from asyncapi_server.diff.asyncapi.model import Channel, Identity, Message, Operation, Reply, Stream
from asyncapi_server.diff.asyncapi.reading import Reader
from asyncapi_server.diff.asyncapi.traits import traited
from asyncapi_server.diff.parts import Part
from asyncapi_server.document.source import Node

_Channels = Mapping[Identity, Channel]
_ACTIONS = ("receive", "send")


def read(root: Part) -> Stream:
    """A document; raises DocumentError."""
    reader = Reader(root)
    channels = {
        part.node.identity: _channel(key, part, reader)
        for key, part in root.objects("channels").items()
    }
    operations = [
        _operation(name, part, channels, reader)
        for name, part in root.objects("operations").items()
    ]
    return Stream(root, reader.servers, list(channels.values()), operations)


def _channel(key: str, part: Part, reader: Reader) -> Channel:
    address = part.literal("address")
    if not isinstance(address, str | None):
        raise part.fault("the address of a channel has to be a text, or null")
    declared = part.get("messages")
    messages = [] if declared is None else list(declared.node.items())
    return Channel(
        key,
        address,
        part,
        reader.listed(part, "servers"),
        [reader.message(node, name) for name, node in messages],
    )


def _operation(name: str, declared: Part, channels: _Channels, reader: Reader) -> Operation:
    part = traited(declared)
    action = part.literal("action")
    if action not in _ACTIONS:
        raise part.fault(f"the action of an operation has to be one of: {', '.join(_ACTIONS)}")
    channel = _named(part, channels)
    if channel is None:
        raise part.fault("an operation has to name its channel")
    reply = part.get("reply")
    return Operation(
        name=name,
        is_named=True,
        is_received=(action == "receive") is not part.spec.as_client,
        part=part,
        channel=channel,
        messages=_messages(part, channel, reader),
        replies=() if reply is None else _replies(reply, channel, channels, reader),
    )


def _replies(reply: Part, channel: Channel, channels: _Channels, reader: Reader) -> list[Reply]:
    if "channel" not in reply and "messages" not in reply:
        return []
    where = _named(reply, channels) or channel
    return [Reply(where, message) for message in _messages(reply, where, reader)]


def _named(holder: Part, channels: _Channels) -> Channel | None:
    """The channel that an operation or a reply names."""
    declared = holder.get("channel")
    if declared is None:
        return None
    if declared.node.identity not in channels:
        raise holder.fault("its channel is none of this document")
    return channels[declared.node.identity]


def _messages(holder: Part, channel: Channel, reader: Reader) -> list[Message]:
    """The messages that an operation or a reply lists; without a list, all of its channel."""
    if "messages" not in holder:
        return list(channel.messages)
    return [_message(node, holder, channel, reader) for node in holder.nodes("messages")]


def _message(node: Node, holder: Part, channel: Channel, reader: Reader) -> Message:
    """The message of the channel that a reference leads to, maybe by way of others."""
    declared = channel.part.get("messages")
    places = {} if declared is None else {n.identity: key for key, n in declared.node.items()}
    known = {message.name: message for message in channel.messages}
    for step in reader.steps(node):
        if step.identity in places:
            return known[places[step.identity]]
    end = holder.follow(node).node.identity
    for message in channel.messages:
        if message.identity == end:
            return message
    raise holder.fault(
        f"{node.reference or node.key!r} is no message of the channel {channel.key!r}"
    )
