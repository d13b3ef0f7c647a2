"""The request that opens a connection to a channel, made from what its document illustrates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote, urlencode

from asyncapi_server import jsontext, pointer
from asyncapi_server.document.model import Channel, Schema
from asyncapi_server.document.samples import sample


class Opening(NamedTuple):
    """The path with its query, and headers."""

    path: str
    headers: Mapping[str, str]


def opening(channel: Channel) -> Opening:
    """A request with values for the parameters of the address, and for what the bindings of query
    and headers require."""
    handshake = channel.handshake

    def value(match: re.Match[str]) -> str:
        schema = handshake.parameters.get(match[1], {})
        found = sample({"type": "string", "minLength": 1, **schema})
        return quote(_text(found) or match[1], safe="")

    path = "/" + re.sub(r"\{([^{}]*)\}", value, channel.address).lstrip("/")
    query = urlencode(_required(handshake.query))
    if query:
        path += ("&" if "?" in path else "?") + query
    return Opening(path, _required(handshake.headers))


def _required(schema: Schema | None) -> dict[str, str]:
    """A value of each member that a schema requires, as text."""
    if schema is None or not schema.get("required"):
        return {}
    found = sample(schema)
    values = found if isinstance(found, dict) else {}
    return {name: _text(each) for name, each in values.items()}


def _text(value: object) -> str:
    """A value as it stands in a path, a query or a header; empty where none was found."""
    if value is pointer.MISSING:
        return ""
    return value if isinstance(value, str) else jsontext.dumps(value).decode()
