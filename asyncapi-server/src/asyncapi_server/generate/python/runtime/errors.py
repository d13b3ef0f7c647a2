"""The errors of this client.

ClientError
├── CannotConnect   the server does not accept the connection
├── ConnectionLost  the connection has ended
├── ReaderTooSlow   too many messages wait to be iterated over
└── Refused         the server answered a request with an error
"""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class ClientError(Exception):
    """Any error of this package, besides TimeoutError."""


class CannotConnect(ClientError):
    """The server cannot be reached, or does not accept the connection."""

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status
        """The HTTP status of its answer; None without one."""


class ConnectionLost(ClientError):
    """The connection has ended; `code` is that of its closing, 1006 without one."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the connection has ended with the code {code}")
        self.code = code


class ReaderTooSlow(ClientError):
    """Messages came faster than they were iterated over; the connection is closed."""


class Refused(ClientError, Generic[T]):
    """The server answered a request with the error `reply`."""

    def __init__(self, reply: T) -> None:
        super().__init__(str(reply))
        self.reply = reply
