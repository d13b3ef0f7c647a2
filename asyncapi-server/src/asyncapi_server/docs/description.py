"""The data of a page: a document as its readers see it. Descriptions are Markdown."""

from __future__ import annotations

from dataclasses import dataclass

from asyncapi_server.docs.lines import Line, Row
from asyncapi_server.document.model import Identity, Schema
from asyncapi_server.findings import Finding


@dataclass(frozen=True, slots=True)
class Sample:
    """An example as shown to readers."""

    title: str
    json: str
    made: bool = False
    """Whether it is made from the schema, because the document has no example."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link to documentation elsewhere."""

    url: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """The texts that any part of a document may have."""

    title: str = ""
    summary: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    link: Link | None = None


@dataclass(frozen=True, slots=True)
class SchemeDescription:
    """A security scheme."""

    words: str
    """Markdown: "API key in the query as `token`"."""
    description: str


Security = tuple[tuple[SchemeDescription, ...], ...]
"""Alternatives, of which one has to be met with all its schemes."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A parameter of an address."""

    name: str
    row: Row
    location: str = ""
    """The runtime expression of where a message has it."""


@dataclass(frozen=True, slots=True)
class ServerDescription:
    """A server."""

    name: str
    url: str
    """With its variables: "wss://{region}.example.com"."""
    protocol: str
    version: str
    """That of the protocol."""
    about: About
    variables: tuple[Variable, ...]
    security: Security


@dataclass(frozen=True, slots=True)
class OperationDescription:
    """An operation, with the messages that it lists."""

    name: str
    about: About
    receives: bool
    """Whether the server receives its messages; it sends them otherwise."""
    messages: frozenset[Identity]
    security: Security


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDescription:
    """One message in one direction at one address."""

    name: str
    identity: Identity
    about: About
    rows: tuple[Line, ...]
    """The table of its payload."""
    headers: tuple[Line, ...]
    examples: tuple[Sample, ...]
    answers: tuple[str, ...]
    """The names of the messages that may answer it."""
    asked_by: tuple[str, ...]
    """The names of the requests that it may answer."""
    unasked: bool
    """Whether the server also sends it without a request."""
    correlation: str | None
    """JSON pointer of the correlation id."""
    servers: tuple[str, ...] | None
    """The names of the servers that admit it; None means all."""
    operations: tuple[OperationDescription, ...]
    """The operations that list it."""
    schema: Schema
    """The self-contained JSON Schema of its payload, as it is validated."""
    content_type: str
    """"" for JSON."""
    format: str
    """The format of a schema that is not read; "" otherwise."""
    source: str
    """A schema that is not read, as JSON."""
    deprecated: bool

    @property
    def title(self) -> str:
        """Its title, or its name."""
        return self.about.title or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelDescription:
    """An address with the messages of both directions."""

    address: str
    about: About
    servers: tuple[str, ...] | None
    """The names of the servers that have it; None means all."""
    parameters: tuple[Variable, ...]
    query: tuple[Line, ...]
    """The table of the query of the request that opens a connection."""
    headers: tuple[Line, ...]
    operations: tuple[OperationDescription, ...]
    receives: tuple[MessageDescription, ...]
    sends: tuple[MessageDescription, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A whole document."""

    title: str
    version: str
    asyncapi: str
    about: About
    facts: tuple[tuple[str, str], ...]
    """Licence, contact and terms: each a name and Markdown."""
    servers: tuple[ServerDescription, ...]
    channels: tuple[ChannelDescription, ...]
    findings: tuple[Finding, ...]
    """The faults that keep a part from being served."""

    @property
    def description(self) -> str:
        """The text about the whole."""
        return self.about.description
