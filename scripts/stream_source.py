"""The handler Protocol and the model table of the stream's document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from scripts.bundle import Bundle
from scripts.python_source import docstring, formatted, head
from wsrouter.contract import Contract, MessageContract, handler_name

ERROR_MESSAGE = "error"
"""Replies of this name are raised as exceptions, not returned by handlers."""


def stream_source(bundle: Bundle, contract: Contract, source: str) -> str:
    """A module with one Protocol for each channel, and the model of each message."""
    document = bundle.document
    payloads = _payloads(document)
    protocols = []
    addresses = []
    for name, channel in cast(Mapping[str, Mapping[str, str]], document["channels"]).items():
        messages = contract.channel(channel["address"]).receives
        protocols.append(
            f"class {name.title()}Handlers(Protocol[ConnectionT]):\n"
            f"{docstring('What clients may ask for over ' + channel['address'] + '.')}\n\n"
            + "\n".join(_method(document, message, payloads) for message in messages)
        )
        addresses.append(f"{name.upper()}_ADDRESS: Final = {channel['address']!r}\n")
    table = "".join(f"    {name!r}: {model},\n" for name, model in payloads.items())
    return formatted(
        f"{head(source)}"
        '"""What each message of the stream is answered by, and the model of each."""\n\n'
        "from __future__ import annotations\n"
        "from abc import abstractmethod\n"
        "from collections.abc import Mapping\n"
        "from typing import Final, Protocol, TypeVar\n"
        "from pydantic import BaseModel\n"
        f"from generated.models import {', '.join(sorted(set(payloads.values())))}\n\n"
        f"VERSION: Final = {contract.version!r}\n"
        '"""Version of the document."""\n' + "".join(addresses) + "\n"
        'ConnectionT = TypeVar("ConnectionT", contravariant=True)\n'
        '"""The server\'s own type of a client\'s connection."""\n\n\n'
        + "\n\n".join(protocols)
        + f"\n\nMODELS: Final[Mapping[str, type[BaseModel]]] = {{\n{table}}}\n"
        '"""The model of each message, by its name in the document."""\n'
    )


def _payloads(document: Mapping[str, object]) -> dict[str, str]:
    """The name of each message's payload schema."""
    components = cast(Mapping[str, Mapping[str, Mapping[str, object]]], document["components"])
    return {
        name: cast(Mapping[str, str], message["payload"])["$ref"].rsplit("/", 1)[1]
        for name, message in components["messages"].items()
    }


def _method(
    document: Mapping[str, object], message: MessageContract, payloads: Mapping[str, str]
) -> str:
    components = cast(Mapping[str, Mapping[str, Mapping[str, str]]], document["components"])
    replies = [payloads[name] for name in message.replies if name != ERROR_MESSAGE]
    return (
        f"    @abstractmethod\n    async def {handler_name(message.name)}(self, "
        f"connection: ConnectionT, message: {payloads[message.name]}) -> "
        f"{' | '.join(replies) or 'None'}:\n"
        f"{docstring(components['messages'][message.name]['summary'], '        ')}\n"
    )
