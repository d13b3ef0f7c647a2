"""The bounds of an endpoint."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """Bounds of every connection."""

    max_message_bytes: int = 65536
    """The longest message that is taken; a longer one closes the connection with 1009."""
    compress: bool = False
    """Whether permessage-deflate is agreed to when a client offers it."""
    heartbeat_seconds: float = 20.0
    """Ping frames are sent this often; no answer in half of it ends the connection."""
    request_timeout_seconds: float = 10.0
    """How long a handler, and each of its actions after the reply, may take."""
    messages_per_second: float = 20.0
    """Frames of one client, on average, fragments and pongs too; more closes with 1008."""
    message_burst: int = 40
    """The same at once."""
    write_buffer_bytes: int = 256 * 1024
    """Unsent bytes of one connection before pictures are replaced instead of queued."""
    pending_bytes: int = 4 * 1024 * 1024
    """Bytes kept for a client that does not read; more closes with 1013."""
    slow_client_seconds: float = 30.0
    """How long a client may leave its messages unread before it is closed with 1013."""
    close_seconds: float = 3.0
    """How long a closing handshake may take; the connection is then aborted."""
