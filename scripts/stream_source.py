"""Generates the Protocols of a stream: handlers of requests, makers of the messages sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from asyncapi_server import Contract, DocumentError, handler_name, load_document, snake_case
from scripts.bundle import Bundle, Object
from scripts.encoders_source import NotEncodable, json_type
from scripts.python_source import docstring, formatted, head

ERROR_MESSAGE = "error"
"""The error policy makes messages of this name, not handlers."""
SEVERAL_REPLIES = "x-several-replies"
"""Marks a request that is answered by any number of its replies."""


class Stream:
    """A bundled AsyncAPI document, as the server of the stream's name serves it.

    Where the document has a server of that name, only its channels count. All of them have the same
    messages.
    """

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.path = path
        self.bundle = Bundle(path)
        loaded = load_document(path)
        if loaded.findings:
            raise DocumentError(loaded.findings)
        self.contract = Contract.from_document(loaded)
        document = self.bundle.document
        own = {"$ref": f"#/servers/{name}"}
        has_own = name in cast(Mapping[str, object], document["servers"])
        channels = [
            channel
            for channel in cast(Mapping[str, Object], document["channels"]).values()
            if not has_own or own in cast(list[object], channel["servers"])
        ]
        self._addresses = list(dict.fromkeys(cast(str, c["address"]) for c in channels))
        self._channel = self.contract.channel(self._addresses[0])
        for other in map(self.contract.channel, self._addresses):
            if (other.receives, other.sends) != (self._channel.receives, self._channel.sends):
                raise NotEncodable(f"{path}: all channels of {name!r} have the same messages")
        self._messages = {
            key: self.bundle.resolved(reference)
            for channel in channels
            for key, reference in cast(Mapping[str, Object], channel["messages"]).items()
        }

    def sent(self) -> Iterator[tuple[str, Object]]:
        """The messages that the server sends unrequested, with their payloads."""
        for name in self._channel.sent_alone:
            yield name, cast(Object, self._messages[name]["payload"])

    def source(self, models: Mapping[str, object], package: str) -> str:
        """The module of this stream; `models` are the schemas that have types."""
        payloads = {
            name: cast(Mapping[str, str], message["payload"])["$ref"].rsplit("/", 1)[1]
            for name, message in self._messages.items()
        }
        typed = {name: model for name, model in payloads.items() if model in models}
        table = "".join(
            f"    {name!r}: {model},\n"
            for name, model in typed.items()
            if "oneOf" not in cast(Object, models[model])
        )
        title = self.name.title()
        sent = [name for name, _ in self.sent()]
        return formatted(
            f"{head(self.path.as_posix())}"
            f'"""The messages of `{self._served}`: their handlers, and those that are sent."""\n\n'
            "from __future__ import annotations\n"
            "from abc import abstractmethod\n"
            "from collections.abc import Callable, Mapping\n"
            "from typing import Final, Protocol, TypeVar\n"
            "from pydantic import BaseModel\n"
            f"from {package}.encoders import {', '.join(map(json_type, sent))}\n"
            f"from {package}.models import {', '.join(sorted(set(typed.values())))}\n\n"
            f"VERSION: Final = {self.contract.version!r}\n"
            '"""Version of the document."""\n'
            f"{self._constant}\n\n"
            'ConnectionT = TypeVar("ConnectionT", contravariant=True)\n'
            '"""The server\'s own type of a client\'s connection."""\n\n\n'
            f"class {title}Handlers(Protocol[ConnectionT]):\n"
            f"{docstring(f'The requests of clients to `{self._served}`.')}\n\n"
            + "\n".join(self._handlers(typed))
            + f"\n\nclass {title}Sends(Protocol):\n"
            + docstring(f"Makes the messages that are sent over `{self._served}` unasked.")
            + "\n\n"
            + "\n".join(map(_maker, sent))
            + f"\n\nMODELS: Final[Mapping[str, type[BaseModel]]] = {{\n{table}}}\n"
            '"""The model of each message, by its name in the document."""\n'
        )

    @property
    def _served(self) -> str:
        """The addresses, for a text."""
        return "`, `".join(self._addresses)

    @property
    def _constant(self) -> str:
        """The constant of the address, or of all of them."""
        name = f"{self.name.upper()}_ADDRESS"
        if len(self._addresses) == 1:
            return f"{name}: Final = {self._addresses[0]!r}"
        return f"{name}ES: Final = {tuple(self._addresses)!r}"

    def _handlers(self, models: Mapping[str, str]) -> Iterator[str]:
        for message in self._channel.receives:
            if message.name not in self._messages:
                continue  # belongs to another server
            described = self._messages[message.name]
            replies = [name for name in message.replies if name != ERROR_MESSAGE]
            answers = " | ".join(dict.fromkeys(models[name] for name in replies))
            if SEVERAL_REPLIES in described:
                answers = f"tuple[{answers}, ...]"
            summary = docstring(cast(str, described["summary"]), "        ")
            yield (
                f"    @abstractmethod\n    async def {handler_name(message.name)}(self, "
                f"connection: ConnectionT, message: {models[message.name]}) -> "
                f"{answers or 'None'}:\n{summary}\n"
            )


def _maker(message: str) -> str:
    return (
        "    @property\n    @abstractmethod\n"
        f"    def {snake_case(message)}(self) -> Callable[..., {json_type(message)}]:\n"
        f"{docstring(f'The text of `{message}`.', '        ')}\n"
    )
