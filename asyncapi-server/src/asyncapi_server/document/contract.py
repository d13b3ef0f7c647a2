"""The compiled form of a document: what the router needs, as plain JSON.

A contract is written at generation time and loaded at start, without YAML and without the
document's files. The same document always gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from asyncapi_server.document.channels import discriminator
from asyncapi_server.document.model import Channel, Document, Message, Schema, Scheme, Security
from asyncapi_server.errors import ContractError

_OMITTED = {"constants", "replies", "correlation", "servers", "parameters", "query", "headers",
            "security"}  # fmt: skip
"""Members that are left out of the JSON where there is nothing to say."""
FORMAT = 1
"""Incremented when the format of a contract changes; older files have to be regenerated."""


@dataclass(frozen=True, slots=True)
class Constant:
    """Constants that identify a message: `pointer` holds one of `values`."""

    pointer: str
    values: tuple[str | int | float | bool | None, ...]


@dataclass(frozen=True, slots=True)
class MessageContract:
    """One message: its name, payload schema, identifying constants and possible replies."""

    name: str
    schema: dict[str, object]
    constants: tuple[Constant, ...] = ()
    replies: tuple[str, ...] = ()
    correlation: str | None = None
    """JSON pointer of the correlation id in the payload."""
    servers: tuple[str, ...] | None = None
    """The servers that admit it; None: all."""
    security: Security = ()
    """The demands on the request that opened the connection."""


@dataclass(frozen=True, slots=True)
class ChannelContract:
    """All messages of one address, in the document's order."""

    receives: tuple[MessageContract, ...]
    sends: tuple[MessageContract, ...]
    parameters: Mapping[str, Schema] = field(default_factory=dict)
    """The schema of each parameter of the address."""
    query: Schema | None = None
    """The schema of the query with which a connection is opened."""
    headers: Schema | None = None
    """The schema of the headers with which a connection is opened."""

    @property
    def sent_alone(self) -> list[str]:
        """The messages that answer no request: the server sends them unprompted."""
        replies = {name for message in self.receives for name in message.replies}
        return [message.name for message in self.sends if message.name not in replies]


@dataclass(frozen=True, slots=True)
class ServerContract:
    """A server of the document: host and path without a scheme, and its protocol."""

    address: str
    protocol: str
    security: Security = ()
    """The demands on the request that opens a connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """Everything that a router needs from a document."""

    format: int = FORMAT
    title: str
    version: str
    servers: dict[str, ServerContract]
    channels: dict[str, ChannelContract]
    """By address."""

    @classmethod
    def from_document(cls, document: Document) -> Contract:
        """Compile what of a document can be served."""
        return cls(
            title=document.title,
            version=document.version,
            servers={
                name: ServerContract(server.address, server.protocol, server.security)
                for name, server in document.servers.items()
            },
            channels={
                address: ChannelContract(
                    _compile(channel, channel.receives),
                    _compile(channel, channel.sends),
                    channel.handshake.parameters,
                    channel.handshake.query,
                    channel.handshake.headers,
                )
                for address, channel in document.channels.items()
            },
        )

    @classmethod
    def from_json(cls, data: bytes) -> Contract:
        """Load what `to_json` wrote; raises ContractError when it has another format."""
        try:
            found = json.loads(data)
            form = found["format"]
            if form == FORMAT:
                return _contract(found)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ContractError(f"not a contract: {error!r}. Generate it anew.") from error
        raise ContractError(
            f"the contract has the form {form}, this is {FORMAT}. Generate it anew."
        )

    def to_json(self) -> bytes:
        """The contract as indented JSON, the same bytes for the same document."""
        whole = asdict(self)
        parts: list[dict[str, Any]] = list(whole["servers"].values())
        for channel in whole["channels"].values():
            parts += (channel, *channel["receives"], *channel["sends"])
        for part in parts:
            for name in _OMITTED & part.keys():
                # A message that no server admits has servers, and they are none.
                if part[name] is None or (name != "servers" and not part[name]):
                    del part[name]
        return json.dumps(whole, ensure_ascii=False, indent=1).encode() + b"\n"

    def channel(self, address: str) -> ChannelContract:
        """The messages of one address."""
        try:
            return self.channels[address]
        except KeyError:
            known = ", ".join(sorted(self.channels)) or "none"
            raise ContractError(f"no channel has the address {address!r}; known: {known}") from None


def _compile(channel: Channel, messages: tuple[Message, ...]) -> tuple[MessageContract, ...]:
    names = {message.identity: message.name for message in channel.sends}
    apart = discriminator(messages)
    return tuple(
        MessageContract(
            name=message.name,
            schema=message.schema,
            constants=tuple(
                Constant(pointer, demand.values)
                for pointer, demand in apart.constants(message.name).items()
                if demand.values is not None
            ),
            replies=tuple(names[each] for each in message.responses if each in names),
            correlation=message.correlation,
            servers=None if message.servers is None else tuple(sorted(message.servers)),
            security=message.security,
        )
        for message in messages
    )


def _contract(found: Mapping[str, Any]) -> Contract:
    return Contract(
        title=found["title"],
        version=found["version"],
        servers={name: _server(**server) for name, server in found["servers"].items()},
        channels={
            address: ChannelContract(
                tuple(_message(**message) for message in channel["receives"]),
                tuple(_message(**message) for message in channel["sends"]),
                channel.get("parameters", {}),
                channel.get("query"),
                channel.get("headers"),
            )
            for address, channel in found["channels"].items()
        },
    )


def _server(
    *, address: str, protocol: str, security: Iterable[Iterable[dict[str, str]]] = ()
) -> ServerContract:
    return ServerContract(address, protocol, _security(security))


def _security(alternatives: Iterable[Iterable[dict[str, str]]]) -> Security:
    return tuple(tuple(Scheme(**each) for each in schemes) for schemes in alternatives)


def _message(
    *,
    name: str,
    schema: dict[str, object],
    constants: list[dict[str, Any]] | None = None,
    replies: list[str] | None = None,
    correlation: str | None = None,
    servers: list[str] | None = None,
    security: Iterable[Iterable[dict[str, str]]] = (),
) -> MessageContract:
    return MessageContract(
        name,
        schema,
        tuple(Constant(each["pointer"], tuple(each["values"])) for each in constants or ()),
        tuple(replies or ()),
        correlation,
        None if servers is None else tuple(servers),
        _security(security),
    )
