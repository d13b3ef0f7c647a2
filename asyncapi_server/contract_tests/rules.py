"""What a document cannot say of its server, told by whoever tests it."""

from __future__ import annotations

import json
from dataclasses import dataclass

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
    """How strict to be, and with whom."""

    reply_seconds: float = 10.0
    """How long an answer, or a sign of life, may take."""
    listen_seconds: float = 1.5
    """How long each written example may have effects that the server tells by itself."""
    connections: int = 4
    """Connections that are open at once."""
    errors: frozenset[str] = frozenset()
    """The messages that refuse a request; empty: those with "error" in their name."""
    several: frozenset[str] = frozenset()
    """The requests that may be answered by several messages."""
    never: tuple[Marker, ...] = ()
    """What no message may have, as the code of a fault of the server."""
    only_to_invalid: tuple[Marker, ...] = ()
    """What only the answer to an invalid message may have."""
