"""The stream's document from the client's side: what the server receives is sent, and vice versa.

Client generators use this document, not the server's own. Names are kept. Each message has a
channel object of its own with the one address, since asyncapi-python distinguishes messages by
channel objects, and each request has one for its replies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from scripts.bundle import Bundle, Object

_SWAPPED = {"send": "receive", "receive": "send"}
_DESCRIPTION = (
    "The stream as its clients see it: `send` is what they send, `receive` is what they get. "
    "Made for generators of clients; the document for people is the server's own."
)


def client_projection(bundle: Bundle) -> dict[str, object]:
    """The client's view of an AsyncAPI 3 document, self-contained; the bundle is unchanged.

    Raises ValueError for an operation with several messages, which no client generator can name.
    """
    document = bundle.document
    components = _member(document, "components")
    channels: dict[str, object] = {}
    operations: dict[str, object] = {}
    for name, operation in _members(document, "operations"):
        channel = bundle.resolved(_member(operation, "channel"))
        requests = _message_names(operation)
        if len(requests) != 1:
            raise ValueError(f"operation {name!r} must have one message, not {len(requests)}")
        channels[requests[0]] = _channel(channel, requests)
        operations[name] = {
            "action": _SWAPPED[cast(str, operation["action"])],
            "title": operation["summary"],
            "channel": {"$ref": f"#/channels/{requests[0]}"},
        }
        if "reply" in operation:
            replies = _message_names(_member(operation, "reply"))
            channels[f"{name}_reply"] = _channel(channel, replies)
            reply = {"channel": {"$ref": f"#/channels/{name}_reply"}}
            operations[name] = {**cast(Object, operations[name]), "reply": reply}
    return {
        **{key: document[key] for key in ("asyncapi", "defaultContentType", "servers")},
        "info": {**_member(document, "info"), "description": _DESCRIPTION},
        "channels": channels,
        "operations": operations,
        "components": {
            "securitySchemes": components.get("securitySchemes", {}),
            "correlationIds": components["correlationIds"],
            "messages": components["messages"],
            "schemas": {name: _schema(schema) for name, schema in bundle.schemas.items()},
        },
    }


def _channel(channel: Object, messages: list[str]) -> Object:
    """A channel object of the same address for only these messages."""
    return {
        **{key: channel[key] for key in ("address", "servers", "bindings") if key in channel},
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
    }


def _schema(value: object) -> object:
    """A schema in which an `enum` of one value is a `const`, which generators read better."""
    if isinstance(value, list):
        return [_schema(element) for element in value]
    if not isinstance(value, dict):
        return value
    copy = {key: _schema(member) for key, member in value.items()}
    match copy.get("enum"):
        case [None]:
            del copy["enum"]
            copy["type"] = "null"
        case [constant]:
            del copy["enum"]
            copy["const"] = constant
    return copy


def _message_names(value: Object) -> list[str]:
    messages = cast(list[Mapping[str, str]], value["messages"])
    return [message["$ref"].rsplit("/", 1)[1] for message in messages]


def _member(value: Object, key: str) -> Object:
    return cast(Object, value[key])


def _members(value: Object, key: str) -> Iterator[tuple[str, Object]]:
    yield from cast(Mapping[str, Object], value[key]).items()
