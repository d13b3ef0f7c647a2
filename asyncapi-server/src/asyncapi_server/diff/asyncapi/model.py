"""An AsyncAPI document of any version, as it is compared: nothing of it is left out.

Directions are the server's, as those of `asyncapi_server.document.model`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from asyncapi_server.diff.parts import Part

Identity = tuple[str, str]
"""The file and the pointer of a value, whatever refers to it."""


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """A message of a channel."""

    name: str
    is_named: bool
    """Whether the document gives it the name; else that follows from its place."""
    identity: Identity
    part: Part
    """With its traits."""
    servers: frozenset[str] | None
    """The servers that admit it; None: all."""


@dataclass(frozen=True, slots=True, eq=False)
class Channel:
    """A channel object."""

    key: str
    address: str | None
    """None for an address that is not known before."""
    part: Part
    servers: frozenset[str] | None
    messages: Sequence[Message]

    @property
    def where(self) -> str:
        """The channel for people."""
        return f"channel {self.key}" if self.address is None else self.address

    @property
    def shape(self) -> str:
        """What identifies the channel on the wire, where parameters have no names."""
        return f"channel {self.key}" if self.address is None else shape(self.address)


@dataclass(frozen=True, slots=True, eq=False)
class Reply:
    """A message that may answer those of an operation."""

    channel: Channel
    message: Message


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """An operation."""

    name: str
    is_named: bool
    is_received: bool
    """Whether its messages are those that the server receives."""
    part: Part
    """With its traits."""
    channel: Channel
    messages: Sequence[Message]
    replies: Sequence[Reply] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """A document."""

    root: Part
    servers: Mapping[str, Part]
    channels: Sequence[Channel]
    operations: Sequence[Operation]


def shape(address: str) -> str:
    """An address without the names of its parameters: "/rooms/{}"."""
    return re.sub(r"\{[^{}]*\}", "{}", address)
