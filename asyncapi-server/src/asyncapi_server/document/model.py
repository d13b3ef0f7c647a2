"""An AsyncAPI document from the server's side, of any version and any number of files.

Directions are the server's: it receives what a 2.x channel lists under `publish` and a 3.x
operation with the action `receive` names; of a document that describes a client, the reverse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from asyncapi_server.findings import Finding, Place

Identity = tuple[str, str]
"""Identifies a message whatever refers to it: its file and its pointer in the file."""


Schema = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Scheme:
    """A security scheme, and where in the request that opens a connection its credential is."""

    name: str
    type: str
    """As the standard names it: "http", "httpApiKey", "oauth2", ..."""
    part: str = ""
    """"header", "query" or "cookie"; empty when the credential is not in that request."""
    key: str = ""
    """The name of the header, of the parameter or of the cookie."""
    prefix: str = ""
    """The scheme of an Authorization header in lower case: "bearer"."""


Security = tuple[tuple[Scheme, ...], ...]
"""Alternatives, of which one has to be met with all its schemes; none: nothing is demanded."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server of the document."""

    name: str
    address: str
    """Host and path, without a scheme: "ws-auth.kraken.com"."""
    protocol: str
    security: Security = ()
    """The demands on the request that opens a connection."""


@dataclass(frozen=True, slots=True)
class Example:
    """A written example of a message's payload, or of its headers."""

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
    annotated: dict[str, object]
    """The same with its examples and defaults."""
    examples: tuple[Example, ...] = ()
    headers: dict[str, object] | None = None
    """The schema of the headers, which no WebSocket message has; None when there is none."""
    header_examples: tuple[Example, ...] = ()
    correlation: str | None = None
    """JSON pointer of the correlation id in the payload."""
    x_response: tuple[Identity, ...] | None = None
    """The messages that the extension `x-response` names; None without the extension."""
    reply: tuple[Identity, ...] | None = None
    """The messages that native `reply` objects name; None when no operation has one."""
    servers: frozenset[str] | None = None
    """The servers that admit the message; None: all of them."""
    security: Security = ()
    """The demands of the operations that receive it on the request that opened the connection."""
    is_read: bool = True
    """Whether its schema is that of the document; False for one that admits any value, because
    the document has none or one in another format."""

    @property
    def responses(self) -> tuple[Identity, ...]:
        """Every message that may answer this one, each once."""
        return tuple(dict.fromkeys((*(self.reply or ()), *(self.x_response or ()))))


@dataclass(frozen=True, slots=True)
class Handshake:
    """The demands of a channel on the request that opens a connection."""

    parameters: Mapping[str, Schema] = field(default_factory=dict)
    """The schema of each parameter of the address, whose values are texts."""
    query: Schema | None = None
    """The schema of the query, as an object; None: any."""
    headers: Schema | None = None
    """The schema of the headers, as an object; None: any."""


@dataclass(frozen=True, slots=True)
class Channel:
    """The messages of one address, in both directions."""

    address: str
    place: Place
    receives: tuple[Message, ...]
    sends: tuple[Message, ...]
    handshake: Handshake
    """The demands on the request that opens a connection."""


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
    others: tuple[Message, ...] = ()
    """The messages among the components that no channel has."""
    findings: tuple[Finding, ...] = ()
    """The faults that reading found; what they are about is not served, and all else is."""
