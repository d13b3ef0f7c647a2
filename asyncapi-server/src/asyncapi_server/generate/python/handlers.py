"""The module `handlers` of a channel: a protocol of the requests that its server answers."""

from __future__ import annotations

from asyncapi_server.generate.interface import ChannelType, MessageType, Request
from asyncapi_server.generate.naming import identifier
from asyncapi_server.generate.python.formatting import FUTURE
from asyncapi_server.generate.texts import docstring, flat
from asyncapi_server.names import handler_name


def handlers_source(channel: ChannelType, models: str) -> str:
    """The module; `models` is that of the models, as it is imported."""
    named = {handler_name(each.message.name): each for each in channel.requests}
    handlers = {name: each for name, each in named.items() if name == identifier(name, "")}
    received = [each.message for each in channel.requests if each.message.is_typed]
    replies = [reply for each in channel.requests for reply in each.replies]
    types = {message.type for message in (*received, *replies) if message.is_typed}
    table = "".join(f"    {message.name!r}: {message.type},\n" for message in received)
    return (
        f"{docstring(f'The requests of clients to `{flat(channel.address)}`.', '')}\n"
        f"{FUTURE}from abc import abstractmethod\n"
        "from collections.abc import Mapping\n"
        "from typing import Final, Protocol, TypeAlias, TypeVar\n"
        "from asyncapi_server import Connection\n"
        "from pydantic import BaseModel\n"
        + (f"from {models} import {', '.join(sorted(types))}\n" if types else "")
        + f"\nADDRESS: Final = {channel.address!r}\n\n"
        "MODELS: Final[Mapping[str, type[BaseModel]]] = {\n"
        f"{table}}}\n"
        '"""The model of each request, by its name in the document."""\n\n'
        + (_ANSWER if any(each.replies for each in channel.requests) else "")
        + "\n\nclass Handlers(Protocol):\n"
        f"{docstring(f'Answers the requests to `{flat(channel.address)}`.')}\n"
        + "\n".join(_handler(name, request) for name, request in handlers.items())
    )


_ANSWER = '''
ReplyT = TypeVar("ReplyT")
Answer: TypeAlias = ReplyT | tuple[ReplyT, ...]
"""A reply, or several of them."""
'''


def _handler(name: str, request: Request) -> str:
    answers = " | ".join(dict.fromkeys(map(_type, request.replies)))
    returned = "None" if not answers else "object" if "object" in answers else f"Answer[{answers}]"
    summary = request.message.summary or f"Handle `{flat(request.message.name)}`."
    return (
        f"    @abstractmethod\n    async def {name}(self, connection: Connection, "
        f"message: {_type(request.message)}) -> {returned}:\n{docstring(summary, '        ')}"
    )


def _type(message: MessageType) -> str:
    return message.type if message.is_typed else "object"
