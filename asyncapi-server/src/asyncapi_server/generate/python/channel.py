"""The module of an address in a client in Python."""

from __future__ import annotations

from collections.abc import Iterable

from asyncapi_server import pointer as jsonpointer
from asyncapi_server.generate.interface import ChannelType, Interface, MessageType, Request
from asyncapi_server.generate.naming import BUILTINS, TYPES, Names, identifier, pascal, variable
from asyncapi_server.generate.python.arguments import Argument, arguments, payload, written
from asyncapi_server.generate.python.formatting import FUTURE
from asyncapi_server.generate.python.values import IMPORTS, Values
from asyncapi_server.generate.texts import docstring, flat
from asyncapi_server.names import snake_case

_IMPORTS = f"""{FUTURE}from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final
from aiohttp import ClientSession
{IMPORTS}from .connection import Connection
from .errors import Refused
from .messages import Incoming, Outgoing
from .opening import address, opened
"""
_OPTIONS = ("reply_seconds", "session", "url")
"""The arguments that every `connect` has."""


def opening(channel: ChannelType, values: Values) -> list[dict[str, Argument]]:
    """The arguments of `connect`, by the names of parameters, of members of the query and of
    headers."""
    names = Names(_OPTIONS)
    return [
        arguments(shape.members, values, names=names)
        for shape in (channel.parameters, channel.query, channel.headers)
    ]


def channel_source(channel: ChannelType, interface: Interface, values: Values) -> str:
    """The module; that of the types of plain `values` lies beside it."""
    return _Channel(channel, interface, values).source()


def methods(channel: ChannelType) -> dict[str, str]:
    """The method for each request, by the name of its message."""
    names = Names()
    return {
        request.message.name: names.claim(
            variable(snake_case(request.message.name), "send_", BUILTINS)
        )
        for request in channel.requests
    }


class _Channel:
    def __init__(self, channel: ChannelType, interface: Interface, values: Values) -> None:
        self._channel = channel
        self._urls = dict(interface.urls)
        self._values = values
        types = Names({*TYPES, *interface.definitions, *values.names})
        self._refusals = {
            message.name: types.claim(pascal(f"{message.name}_refusal", "Message"))
            for message in channel.sends
            if message.is_error
        }
        self._methods = methods(channel)
        constants = Names()
        self._constants = {
            message: constants.claim(f"_{identifier(method.upper(), 'REQUEST_')}")
            for message, method in self._methods.items()
        }
        """The description of each request, by the name of its message."""

    def source(self) -> str:
        channel = self._channel
        types = sorted({message.type for message in channel.sends if message.is_typed})
        parts = [
            f"{docstring(f'A client of `{flat(channel.address)}`.', '')}\n{_IMPORTS}"
            + (f"from .models import {', '.join(types)}\n" if types else "")
            + self._values.imports(".values"),
            f"ADDRESS: Final = {channel.address!r}\n"
            f"SERVERS: Final[Mapping[str, str]] = {self._urls!r}\n"
            '"""The URLs of the servers, by their names in the document."""\n',
            f"Received: TypeAlias = {_types(channel.sends) or 'None'}\n"
            '"""The messages that the server sends."""\n',
            *(self._refusal(message) for message in channel.sends if message.is_error),
            self._incoming() + "".join(map(self._outgoing, channel.requests)),
            self._class(),
            self._connect(),
        ]
        return "\n\n".join(parts)

    def _refusal(self, message: MessageType) -> str:
        return (
            f"class {self._refusals[message.name]}(Refused[{_type(message)}]):\n"
            f"{docstring(message.summary or f'The server answered `{flat(message.name)}`.')}"
        )

    def _incoming(self) -> str:
        """The table of the messages that the server sends."""
        rows = []
        for message in self._channel.sends:
            constants = tuple((jsonpointer.tokens(c.pointer), c.values) for c in message.constants)
            options = {
                "build": f"{message.type}.model_validate" if message.is_typed else "",
                "constants": repr(constants) if constants else "",
                "correlation": repr(message.correlation) if message.correlation else "",
                "refusal": self._refusals.get(message.name, ""),
            }
            rows.append(f"    Incoming({message.name!r}{_options(options)}),\n")
        return f"_INCOMING: Final[tuple[Incoming, ...]] = (\n{''.join(rows)})\n"

    def _outgoing(self, request: Request) -> str:
        """The description of a message that the client sends."""
        message = request.message
        options = {
            "replies": _names(request.replies),
            "refusals": _names(request.refusals),
            "correlation": repr(message.correlation) if message.correlation else "",
            "ids": repr(message.ids) if message.ids else "",
        }
        kind = f"Final[Outgoing[{_types(request.answers) or 'None'}]]"
        described = f"Outgoing({message.name!r}{_options(options)})"
        return f"{self._constants[message.name]}: {kind} = {described}\n"

    def _class(self) -> str:
        text = (
            "A connection to the server; iterating over it gives what the server sends unprompted."
            "\n\nIteration ends when the connection is closed in order, else it raises "
            "ConnectionLost.\nEach request raises TimeoutError, ConnectionLost and what it names."
        )
        return (
            f"class Client:\n{docstring(text)}\n"
            "    def __init__(self, connection: Connection) -> None:\n"
            "        self._connection = connection\n\n"
            "    def __aiter__(self) -> AsyncIterator[Received]:\n"
            "        return self._connection.messages()\n\n"
            + "\n".join(map(self._method, self._channel.requests))
        )

    def _method(self, request: Request) -> str:
        message = request.message
        made = payload(message.shape, self._values, given=message.made_up)
        refusals = ", ".join(self._refusals[reply.name] for reply in request.refusals)
        text = message.summary or f"Send `{flat(message.name)}`."
        action = "request" if request.replies else "send"
        return (
            f"    async def {self._methods[message.name]}({_joined('self', made.parameters)}) -> "
            f"{_types(request.answers) or 'None'}:\n"
            + docstring(f"{text}\n\nRaises {refusals}." if refusals else text, "        ")
            + "".join(f"        {line}\n" for line in made.statements)
            + f"        {'return ' if request.replies else ''}await self._connection.{action}"
            f"({self._constants[message.name]}, {made.expression})\n"
        )

    def _connect(self) -> str:
        channel = self._channel
        found = opening(channel, self._values)
        shapes = (channel.parameters, channel.query, channel.headers)
        path, query, headers = (
            f"{{{', '.join(written(member, each) for member in shape.members)}}}"
            for shape, each in zip(shapes, found, strict=True)
        )
        url = f"url: str = SERVERS[{next(iter(self._urls))!r}]" if self._urls else "url: str"
        own = [argument.parameter for each in found for argument in each.values()]
        parameters = ", ".join(
            [url, "*", *own, "session: ClientSession | None = None", "reply_seconds: float = 10.0"]
        )
        text = (
            f"Connect to `{flat(channel.address)}` of the server at `url`, until the block ends."
            "\n\nRaises CannotConnect."
        )
        return (
            f"@asynccontextmanager\nasync def connect({parameters}) -> AsyncIterator[Client]:\n"
            f"{docstring(text)}"
            f"    whole = address(url, ADDRESS, {path}, {query})\n"
            f"    async with opened(whole, _INCOMING, headers={headers}, session=session, "
            "reply_seconds=reply_seconds) as connection:\n"
            "        yield Client(connection)\n"
        )


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _options(values: dict[str, str]) -> str:
    return "".join(f", {name}={value}" for name, value in values.items() if value)


def _names(messages: Iterable[MessageType]) -> str:
    names = ", ".join(repr(message.name) for message in messages)
    return f"frozenset({{{names}}})" if names else ""


def _types(messages: Iterable[MessageType]) -> str:
    """The type of any of some messages; "" for none."""
    found = dict.fromkeys(map(_type, messages))
    return "object" if "object" in found else " | ".join(found)


def _type(message: MessageType) -> str:
    return message.type if message.is_typed else "object"
