"""The data of the console: what it needs to connect, to check messages and to recognise them.

Schemas and examples are JSON texts inside of the JSON: their numbers are as they were written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from asyncapi_server.docs.description import (
    MessageDescription,
    ServerDescription,
    Variable,
)
from asyncapi_server.docs.lines import Line, Row
from asyncapi_server.docs.outline import Outline, Section
from asyncapi_server.document.signature import signature

MAX_CONSTANTS = 6
"""Places of a message that are compared before its schema is tried."""
MAX_SCHEMA_CHARS = 200_000
"""A message with a larger schema is taken as it is."""
_ANY = "{}"

Data = dict[str, object]


def console_data(page: Outline) -> str:
    """The data as JSON that may stand in an HTML element."""
    whole: Data = {
        "servers": [_server(each.server) for each in page.servers],
        "channels": [_channel(section) for section in page.sections],
    }
    # "<" could end the element that holds the data.
    return _json(whole).replace("<", "\\u003c")


def _server(server: ServerDescription) -> Data:
    return {
        "name": server.name,
        "url": server.url,
        "variables": [_variable(each) for each in server.variables],
    }


def _channel(section: Section) -> Data:
    channel = section.channel
    return {
        "address": channel.address,
        "servers": channel.servers,
        "parameters": [_variable(each) for each in channel.parameters],
        "query": [_field(row) for row in _fields(channel.query)],
        "headers": [row.path for row in _fields(channel.headers)],
        "receives": list(_messages(channel.receives, section.received)),
        "sends": list(_messages(channel.sends, section.sent)),
    }


def _messages(messages: Sequence[MessageDescription], anchors: Mapping[str, str]) -> Iterator[Data]:
    for message in messages:
        schema = _json(message.schema)
        yield {
            "name": message.name,
            "title": message.title,
            "anchor": anchors[message.name],
            "schema": schema if len(schema) <= MAX_SCHEMA_CHARS else _ANY,
            "constants": list(_constants(message)),
            "examples": [{"title": each.title, "json": each.json} for each in message.examples],
            "replies": message.answers,
            "correlation": message.correlation,
            "servers": message.servers,
        }


def _constants(message: MessageDescription) -> Iterator[Data]:
    """The places where every message of this kind has one of a few values."""
    demands = [each for each in signature(message.schema).items() if each[1].values is not None]
    for pointer, demand in demands[:MAX_CONSTANTS]:
        yield {"pointer": pointer, "values": demand.values, "required": demand.required}


def _variable(variable: Variable) -> Data:
    return {"name": variable.name, **_choice(variable.row), "required": True}


def _field(row: Row) -> Data:
    return {"name": row.path, **_choice(row), "required": row.required}


def _choice(row: Row) -> Data:
    """The values of a text in an address: all that there are, and the one to begin with."""
    values = [_text(constant) for constant in row.constants]
    first = [*filter(None, (row.default, *row.examples)), *row.constants]
    return {"values": values, "value": _text(first[0]) if first else ""}


def _fields(lines: Sequence[Line]) -> Iterator[Row]:
    """The rows of members of the object itself."""
    names = (line for line in lines if isinstance(line, Row) and line.path)
    yield from (row for row in names if not set(row.path) & set(".[*/"))


def _text(constant: str) -> str:
    """The text of a JSON value in an address."""
    try:
        value = json.loads(constant)
    except ValueError:  # it was cut
        return ""
    return value if isinstance(value, str) else constant


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
