"""Faults of a client, or of the server on its behalf, independent of any application.

The router creates a `Fault`; the application's error policy turns it into its own error message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from asyncapi_server.document.details import Detail
from asyncapi_server.errors import AsyncApiServerError


class FaultKind(StrEnum):
    """The kinds of faults."""

    MALFORMED = "malformed"
    """Not JSON, or JSON too deep."""
    BINARY = "binary"
    """A binary message, where the document promises JSON text."""
    UNKNOWN_MESSAGE = "unknown_message"
    """JSON, but none of the messages of the document."""
    INVALID_MESSAGE = "invalid_message"
    """A known message that fails its schema."""
    WRONG_SERVER = "wrong_server"
    """A message that another server of the document admits."""
    UNAUTHORIZED = "unauthorized"
    """A message that asks for credentials that the connection was opened without."""
    REFUSED = "refused"
    """The handler raised Refusal."""
    HANDLER_FAILED = "handler_failed"
    """The handler raised, or returned an undocumented answer."""
    TIMEOUT = "timeout"
    """The handler took too long, or the application waited too long for the client."""
    TOO_FAST = "too_fast"
    """More messages per second than allowed; the connection is then closed."""
    BROKEN = "broken"
    """Frames that break the protocol, or too long a message; the connection is then closed."""
    GOING_AWAY = "going_away"
    """The server shuts down; the connection is then closed."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, as the router reports it."""

    kind: FaultKind
    text: str
    details: tuple[Detail, ...] = ()
    code: str | None = None
    """The application's code, from a Refusal."""
    message: str | None = None
    """The name of the message at fault, when it was recognised."""
    request: object = None
    """The decoded payload, when there was one."""
    servers: tuple[str, ...] = ()
    """The addresses of the servers that would have admitted the message."""


ErrorPolicy = Callable[[Fault], object]
"""The application's error message for a fault: a dict, a list or a model; None sends nothing to the
client. Pure."""


class Refusal(AsyncApiServerError):
    """Raised by a handler to refuse a request with an error code of the application."""

    def __init__(self, code: str, text: str, details: Iterable[Detail] = ()) -> None:
        self.code = code
        self.text = text
        self.details = tuple(details)
        super().__init__(f"{code}: {text}")
