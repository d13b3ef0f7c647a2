"""The interface that a document describes, with types for all that passes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from asyncapi_server.document.contract import Constant, Contract
from asyncapi_server.document.refusals import names_error
from asyncapi_server.findings import Finding
from asyncapi_server.generate.correlation import Ids
from asyncapi_server.generate.shapes import ANYTHING, Definition, Object, Shape


@dataclass(frozen=True, slots=True)
class MessageType:
    """A message, and the definition of its payload."""

    name: str
    """As the document has it."""
    type: str
    """The name of the definition."""
    shape: Shape
    summary: str
    constants: tuple[Constant, ...]
    correlation: tuple[str, ...] | None
    """The path of the correlation id in the payload."""
    ids: Ids | None
    """The form of correlation ids; None where none can be made up."""

    @property
    def made_up(self) -> str | None:
        """The member with its correlation id, when clients make it up."""
        path = self.correlation or ()
        return path[0] if self.ids is not None and len(path) == 1 else None

    @property
    def is_typed(self) -> bool:
        """Whether a type says more of it than that it is a value."""
        return self.shape != ANYTHING

    @property
    def is_error(self) -> bool:
        """Whether it reports an error."""
        return names_error(self.name)


@dataclass(frozen=True, slots=True)
class Request:
    """A message that the server receives, and the messages that may answer it."""

    message: MessageType
    replies: tuple[MessageType, ...]

    @property
    def answers(self) -> tuple[MessageType, ...]:
        """The replies that are no errors, or all when there are only errors."""
        return tuple(reply for reply in self.replies if not reply.is_error) or self.replies

    @property
    def refusals(self) -> tuple[MessageType, ...]:
        """The other replies."""
        return tuple(reply for reply in self.replies if reply not in self.answers)


@dataclass(frozen=True, slots=True)
class ChannelType:
    """The messages of one address."""

    module: str
    """A name for its module."""
    address: str
    requests: tuple[Request, ...]
    sends: tuple[MessageType, ...]
    alone: tuple[MessageType, ...]
    """Those of `sends` that answer no request."""
    parameters: Object
    """The parameters of the address."""
    query: Object
    headers: Object


@dataclass(frozen=True, slots=True)
class Interface:
    """All channels of a document. Types have one name each, in Python and in TypeScript."""

    title: str
    contract: Contract
    urls: Mapping[str, str]
    """The URL of each WebSocket server, by its name."""
    channels: tuple[ChannelType, ...]
    definitions: Mapping[str, Definition]
    findings: tuple[Finding, ...]
    """What of the document is left out."""

    @property
    def types(self) -> list[str]:
        """The names of the messages that have a type."""
        messages = (
            message
            for channel in self.channels
            for message in (*(each.message for each in channel.requests), *channel.sends)
        )
        return list(dict.fromkeys(each.type for each in messages if each.is_typed))
