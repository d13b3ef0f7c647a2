"""An AsyncAPI document from the server's side, of any version and any number of files.

Directions are the server's: it receives what a 2.x channel lists under `publish` and a 3.x
operation with the action `receive` names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from asyncapi_server.errors import Place

Identity = tuple[str, str]
"""Identifies a message whatever refers to it: its file and its pointer in the file."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server of the document."""

    name: str
    address: str
    """Host and path, without a scheme: "ws-auth.kraken.com"."""
    protocol: str


@dataclass(frozen=True, slots=True)
class Example:
    """A written example of a message's payload."""

    payload: object
    place: Place
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message in one direction at one address."""

    name: str
    identity: Identity
    place: Place
    schema: dict[str, object]
    """Self-contained JSON Schema of the payload."""
    examples: tuple[Example, ...] = ()
    correlation: str | None = None
    """JSON pointer of the correlation id in the payload."""
    x_response: tuple[Identity, ...] | None = None
    """The messages that the extension `x-response` names; None without the extension."""
    reply: tuple[Identity, ...] | None = None
    """The messages that native `reply` objects name; None when no operation has one."""
    servers: frozenset[str] | None = None
    """The servers that admit the message; None: all of them."""

    @property
    def responses(self) -> tuple[Identity, ...]:
        """Every message that may answer this one, each once."""
        return tuple(dict.fromkeys((*(self.reply or ()), *(self.x_response or ()))))


@dataclass(frozen=True, slots=True)
class Channel:
    """The messages of one address, in both directions."""

    address: str
    place: Place
    receives: tuple[Message, ...]
    sends: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A whole document. Only its places refer to the files that it came from."""

    title: str
    version: str
    asyncapi: str
    place: Place
    servers: Mapping[str, Server] = field(default_factory=dict)
    channels: Mapping[str, Channel] = field(default_factory=dict)
    """By address."""
