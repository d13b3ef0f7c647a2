"""The running parts of the server that handlers speak to."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from generated.models import Envelope
from handlers.subscriptions import Subscriptions
from ingest.pipeline.provider import Provider
from wsrouter import Connection

E = TypeVar("E", bound=Envelope)


@dataclass(frozen=True)
class About:
    """What an operator may know of how the server was set up."""

    version: str
    feed_name: str
    rest_url: str
    stream_url: str
    store_backend: Literal["chdb", "clickhouse"]
    settings: Mapping[str, str]


@dataclass
class StreamState:
    """What goes on on the WebSocket side."""

    connections: Mapping[str, Connection]
    messages_sent_before: int = 0
    """Messages to connections that have ended."""
    errors_before: int = 0
    updates_running: bool = False
    heartbeats_running: bool = False

    def ended(self, connection: Connection) -> None:
        """Keep the counts of a connection that has ended."""
        self.messages_sent_before += connection.messages_sent
        self.errors_before += connection.errors

    @property
    def messages_sent(self) -> int:
        """Messages to all clients since the start."""
        open_now = sum(connection.messages_sent for connection in self.connections.values())
        return self.messages_sent_before + open_now

    @property
    def errors(self) -> int:
        """Errors told to all clients since the start."""
        return self.errors_before + sum(c.errors for c in self.connections.values())


@dataclass
class Parts:
    """The provider and the WebSocket side, joined by the server."""

    provider: Provider
    subscriptions: Subscriptions
    stream: StreamState
    about: About
    started: float = field(default_factory=time.monotonic)

    @property
    def uptime_seconds(self) -> float:
        """Seconds since the server started."""
        return round(time.monotonic() - self.started, 3)


def now_ms() -> int:
    """This machine's time in milliseconds, as replies carry it."""
    return time.time_ns() // 1_000_000


def envelope(kind: type[E], data: object, message: str) -> E:
    """A successful reply."""
    fields = {"success": True, "data": data, "message": message, "error": None}
    return kind.model_validate({**fields, "timestamp": now_ms()})
