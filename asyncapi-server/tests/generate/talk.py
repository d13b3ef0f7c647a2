"""The samples of a document, and the generated packages that pass them."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator
from decimal import Decimal
from types import ModuleType
from typing import Any

from asyncapi_server import load_document
from asyncapi_server.document.model import Channel, Document, Message
from asyncapi_server.document.samples import sample
from asyncapi_server.generate.interface import ChannelType, Interface, MessageType
from asyncapi_server.generate.python.arguments import arguments
from asyncapi_server.generate.python.values import Values
from asyncapi_server.generate.shapes import Object
from asyncapi_server.mock.samples import SampleBook
from asyncapi_server.pointer import MISSING
from generate.documents import Case

NUMBERS = (int, float, Decimal)


def document(case: Case) -> Document:
    return load_document(case.path, as_client=case.as_client)


def module(kind: str, case: Case, interface: Interface, channel: ChannelType) -> ModuleType:
    """The module of a channel in a generated tree: a server's package, or a client's module."""
    name = f"{kind}.{case.key}"
    if len(interface.channels) > 1:
        name += f".{channel.module}"
    elif kind == "connected":
        name += ".client"
    return importlib.import_module(name)


def requests(channel: Channel, book: SampleBook) -> Iterator[tuple[Message, object]]:
    """Each sample of each message that clients send, when the mock has an answer to it."""
    sent = {message.identity: message for message in channel.sends}
    for message in channel.receives:
        replies = [sent[each] for each in message.responses if each in sent]
        if not replies or any(map(book.of, replies)):
            yield from ((message, each.payload) for each in book.of(message))


def call(
    message: MessageType, payload: Any, interface: Interface
) -> tuple[list[Any], dict[str, Any]]:
    """The arguments by which a generated function makes a payload."""
    if not isinstance(message.shape, Object):
        return [payload], {}
    values = Values([message.shape], interface.definitions)
    found = arguments(message.shape.members, values, given=message.made_up)
    return [], {found[name].name: each for name, each in payload.items() if name in found}


def demanded(channel: ChannelType, its: Channel) -> list[dict[str, Any]]:
    """Values for the parameters, the query and the headers with which a channel is opened."""
    demands = its.handshake
    names = [member.name for member in channel.parameters.members]
    texts = {name: {"minLength": 1, **demands.parameters.get(name, {})} for name in names}
    parameters = {name: sample({"type": "string", **schema}) for name, schema in texts.items()}
    made = [sample(part) if part else {} for part in (demands.query, demands.headers)]
    return [
        {name: "x" if value is MISSING else value for name, value in parameters.items()},
        *(each if isinstance(each, dict) else {} for each in made),
    ]


def plain(message: Any) -> Any:
    """A model as the value that it was made of."""
    dump = getattr(message, "model_dump", None)
    return dump(by_alias=True, exclude_unset=True) if callable(dump) else message


def is_same(one: Any, other: Any) -> bool:
    """Whether two values of JSON are equal; numbers as far as doubles go."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, bool) or isinstance(other, bool) or not isinstance(one, NUMBERS):
        return type(one) is type(other) and one == other
    return isinstance(other, NUMBERS) and math.isclose(one, other, rel_tol=1e-15)
