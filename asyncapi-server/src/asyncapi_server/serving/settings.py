"""The limits of an endpoint."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """Limits of every connection."""

    max_message_bytes: int = 65536
    """The longest message that is accepted; a longer one closes the connection with 1009."""
    compress: bool = False
    """Whether permessage-deflate is accepted when a client offers it."""
    heartbeat_seconds: float = 20.0
    """Interval of ping frames; no answer within half of it ends the connection."""
    request_timeout_seconds: float = 10.0
    """How long a handler, and each of its actions after the reply, may take."""
    messages_per_second: float = 20.0
    """Average frames of one client, fragments and pongs included; more closes with 1008."""
    message_burst: int = 40
    """Frames that one client may send at once; more closes with 1008."""
    write_buffer_bytes: int = 256 * 1024
    """Unsent bytes of one connection before updates are replaced instead of queued."""
    pending_bytes: int = 4 * 1024 * 1024
    """Bytes kept for a client that does not read; more closes with 1013."""
    slow_client_seconds: float = 30.0
    """How long a client may leave its messages unread before it is closed with 1013."""
    close_seconds: float = 3.0
    """How long a closing handshake may take; the connection is then aborted."""
