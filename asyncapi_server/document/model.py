"""An AsyncAPI document as the server sees it, of whatever version and however many files.

Directions are the server's: it receives what a 2.x channel lists under `publish` and a 3.x
operation with the action `receive` names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from asyncapi_server.errors import Place

Identity = tuple[str, str]
"""What makes two references mean the same message: the file and the pointer where it stands."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where the document is served."""

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
    """What the extension `x-response` names; None when the message does not have it."""
    reply: tuple[Identity, ...] | None = None
    """What native `reply` objects name; None when no operation has one."""
    servers: frozenset[str] | None = None
    """The servers that admit the message; None: all of them."""

    @property
    def responses(self) -> tuple[Identity, ...]:
        """Every message that may answer this one, each once."""
        return tuple(dict.fromkeys((*(self.reply or ()), *(self.x_response or ()))))


@dataclass(frozen=True, slots=True)
class Channel:
    """All that goes over the connections of one address."""

    address: str
    place: Place
    receives: tuple[Message, ...]
    sends: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A whole document. Nothing in it refers to the files that it came from but the places."""

    title: str
    version: str
    asyncapi: str
    place: Place
    servers: Mapping[str, Server] = field(default_factory=dict)
    channels: Mapping[str, Channel] = field(default_factory=dict)
    """By address."""
