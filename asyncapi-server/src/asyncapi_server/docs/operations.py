"""The operations of a document of any version, with their texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from asyncapi_server.docs.description import OperationDescription
from asyncapi_server.docs.security import security
from asyncapi_server.docs.texts import about, elements, followed, members, whole
from asyncapi_server.document.model import Identity
from asyncapi_server.document.source import Node
from asyncapi_server.document.traits import Traited


def operations(root: Node, *, as_client: bool) -> Mapping[Identity, list[OperationDescription]]:
    """The operations by the channel object that they are of."""
    found: dict[Identity, list[OperationDescription]] = defaultdict(list)
    receiving = "send" if as_client else "receive"
    for name, node in members(root, "operations"):
        operation = whole(node)
        channel = followed(operation.raw("channel"))
        if channel is not None:
            listed = operation.raw("messages")
            messages = elements(listed) if listed is not None else _members(channel)
            receives = operation.text("action") == receiving
            identities = frozenset(message.identity for message in messages)
            found[channel.identity].append(_operation(root, name, operation, identities, receives))
    receiving = "subscribe" if as_client else "publish"
    for _, channel in members(root, "channels"):
        for action in ("publish", "subscribe"):
            declared = followed(channel.raw(action))
            if declared is not None:
                operation = whole(declared)
                name = operation.text("operationId") or ""
                identities = frozenset(_alternatives(operation.raw("message")))
                receives = action == receiving
                found[channel.identity].append(
                    _operation(root, name, operation, identities, receives)
                )
    return found


def _operation(
    root: Node, name: str, operation: Traited, messages: frozenset[Identity], receives: bool
) -> OperationDescription:
    demands = security(root, operation.raw("security"))
    return OperationDescription(name, about(operation), receives, messages, demands)


def _members(channel: Node) -> Iterator[Node]:
    return (message for _, message in members(channel, "messages"))


def _alternatives(message: Node | None) -> Iterator[Identity]:
    """The messages of an operation of 2.x."""
    target = followed(message)
    if target is None:
        return
    if target.raw("oneOf") is None:
        yield target.identity
    yield from (each.identity for each in elements(target, "oneOf"))
