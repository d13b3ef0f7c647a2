"""The compiled form of a document: what the router needs, as plain JSON.

A contract is written at generation time and loaded at start, without YAML and without the
document's files. The same document always gives the same bytes.
"""

from __future__ import annotations

import msgspec

from asyncapi_server.document.discriminator import Discriminator, signature
from asyncapi_server.document.model import Channel, Document, Message
from asyncapi_server.errors import ContractError, DocumentError, Finding

FORMAT = 1
"""Incremented when the format of a contract changes; older files have to be regenerated."""


class Constant(msgspec.Struct, frozen=True):
    """Constants that identify a message: `pointer` holds one of `values`."""

    pointer: str
    values: tuple[str | int | float | bool | None, ...]


class MessageContract(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message: its name, payload schema, identifying constants and possible replies."""

    name: str
    schema: dict[str, object]
    constants: tuple[Constant, ...] = ()
    replies: tuple[str, ...] = ()
    correlation: str | None = None
    """JSON pointer of the correlation id in the payload."""
    servers: tuple[str, ...] | None = None
    """The servers that admit it; None: all."""


class ChannelContract(msgspec.Struct, frozen=True):
    """All messages of one address, in the document's order."""

    receives: tuple[MessageContract, ...]
    sends: tuple[MessageContract, ...]

    @property
    def sent_alone(self) -> list[str]:
        """The messages that answer no request: the server sends them unprompted."""
        replies = {name for message in self.receives for name in message.replies}
        return [message.name for message in self.sends if message.name not in replies]


class ServerContract(msgspec.Struct, frozen=True):
    """A server of the document: host and path without a scheme, and its protocol."""

    address: str
    protocol: str


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a router needs from a document."""

    format: int = FORMAT
    title: str
    version: str
    servers: dict[str, ServerContract]
    channels: dict[str, ChannelContract]
    """By address."""

    @classmethod
    def from_document(cls, document: Document) -> Contract:
        """Compile a document; raises DocumentError when it cannot be served."""
        findings = [
            finding
            for channel in document.channels.values()
            for finding in (*overlaps(channel), *stray_replies(channel))
        ]
        if findings:
            raise DocumentError(findings)
        return cls(
            title=document.title,
            version=document.version,
            servers={
                name: ServerContract(server.address, server.protocol)
                for name, server in document.servers.items()
            },
            channels={
                address: ChannelContract(
                    _compile(channel, channel.receives), _compile(channel, channel.sends)
                )
                for address, channel in document.channels.items()
            },
        )

    @classmethod
    def from_json(cls, data: bytes) -> Contract:
        """Load what `to_json` wrote; raises ContractError when it has another format."""
        try:
            contract = msgspec.json.decode(data, type=cls)
        except msgspec.MsgspecError as error:
            raise ContractError(f"not a contract: {error}. Generate it anew.") from error
        if contract.format != FORMAT:
            raise ContractError(
                f"the contract has the form {contract.format}, this is {FORMAT}. Generate it anew."
            )
        return contract

    def to_json(self) -> bytes:
        """The contract as indented JSON, the same bytes for the same document."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n"

    def channel(self, address: str) -> ChannelContract:
        """The messages of one address."""
        try:
            return self.channels[address]
        except KeyError:
            known = ", ".join(sorted(self.channels)) or "none"
            raise ContractError(f"no channel has the address {address!r}; known: {known}") from None


def discriminator(messages: tuple[Message, ...]) -> Discriminator:
    """The discriminator of these messages of one direction."""
    return Discriminator({message.name: signature(message.schema) for message in messages})


def overlaps(channel: Channel) -> list[Finding]:
    """A finding for each pair of received messages that cannot be distinguished."""
    return _overlaps(channel, channel.receives)


def sent_overlaps(channel: Channel) -> list[Finding]:
    """The same for the messages that the server sends."""
    return _overlaps(channel, channel.sends)


def _overlaps(channel: Channel, messages: tuple[Message, ...]) -> list[Finding]:
    found = []
    by_name: dict[str, Message] = {}
    for message in messages:
        other = by_name.setdefault(message.name, message)
        if other is not message:
            text = f"two messages of {channel.address!r} are named {message.name!r}"
            found.append(Finding(message.place, text))
    apart = discriminator(tuple(by_name.values()))
    for one, two in apart.overlaps:
        optional = apart.optional(one, two)
        why = (
            f"their {optional} differs, but neither requires it"
            if optional
            else "at no place do their schemas demand different constants"
        )
        text = f"{one!r} and {two!r} cannot be distinguished: {why}"
        found.append(Finding(by_name[two].place, text))
    return found


def stray_replies(channel: Channel) -> list[Finding]:
    """A finding for each reply that the server does not send at this address."""
    sent = {message.identity for message in channel.sends}
    return [
        Finding(
            message.place,
            f"{message.name!r} is answered by {pointer}, which is no message that the server "
            f"sends at {channel.address!r}",
        )
        for message in channel.receives
        for _, pointer in (i for i in message.responses if i not in sent)
    ]


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
            replies=tuple(names[identity] for identity in message.responses),
            correlation=message.correlation,
            servers=None if message.servers is None else tuple(sorted(message.servers)),
        )
        for message in messages
    )
