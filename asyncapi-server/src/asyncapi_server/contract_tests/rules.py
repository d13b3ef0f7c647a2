"""Settings for the properties of a server that its document cannot state."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from asyncapi_server import pointer as jsonpointer


@dataclass(frozen=True, slots=True)
class Marker:
    """A value at a place of a message: `Marker("/error_code", "INTERNAL_ERROR")`."""

    pointer: str
    value: object

    @classmethod
    def parse(cls, text: str) -> Marker:
        """The marker written as "/pointer=value", the value as JSON or as plain text."""
        pointer, sign, value = text.partition("=")
        if not sign or not pointer.startswith("/"):
            raise ValueError(f"not a marker: {text!r}. Write /pointer=value")
        try:
            return cls(pointer, json.loads(value))
        except ValueError:
            return cls(pointer, value)

    def marks(self, message: object) -> bool:
        """Whether the message has the value there."""
        return jsonpointer.lookup(message, jsonpointer.tokens(self.pointer)) == self.value

    def __str__(self) -> str:
        return f"{self.pointer} = {json.dumps(self.value)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The limits of a contract test, and the answers that it allows."""

    reply_seconds: float = 10.0
    """How long a connection, an answer or a pong may take."""
    listen_seconds: float = 1.5
    """How long to listen for unsolicited messages after each written example."""
    connections: int = 4
    """Connections that are open at once."""
    rate: float = math.inf
    """Messages and pings that each connection sends in a second at most."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of the requests that open connections, such as Authorization."""
    errors: frozenset[str] = frozenset()
    """The messages that refuse a request; empty: those with "error" in their name."""
    several: frozenset[str] = frozenset()
    """The requests that may be answered by several messages."""
    never: tuple[Marker, ...] = ()
    """Values that no message may have, such as the code of a server fault."""
    only_to_invalid: tuple[Marker, ...] = ()
    """Values that only the answer to an invalid message may have."""
