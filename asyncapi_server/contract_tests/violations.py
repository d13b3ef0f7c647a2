"""What a server can do against its document, in one tree.

ContractViolation
├── UndocumentedMessage  what came is no message of the document
├── WrongReply           a documented message, but no answer to what was asked
├── NotCorrelated        the right answer with the wrong correlation id, or without one
├── NoReply              no answer in time
├── ConnectionClosed     the connection ended, or could not be opened
├── NotAlive             the connection is open, but dead
└── MarkedReply          an answer that the rules of the test rule out
"""

from __future__ import annotations

from asyncapi_server.errors import AsyncApiServerError


class ContractViolation(AsyncApiServerError):
    """The server broke its document; `transcript` is what was said on the way there."""

    def __init__(self, text: str, transcript: tuple[str, ...] = ()) -> None:
        self.text = text
        self.transcript = transcript
        super().__init__("\n  ".join((text, *transcript)))


class UndocumentedMessage(ContractViolation):
    """What came is no message of the document."""


class WrongReply(ContractViolation):
    """A documented message, but no answer to what was asked."""


class NotCorrelated(ContractViolation):
    """The right answer with the wrong correlation id, or without one."""


class NoReply(ContractViolation):
    """No answer in time."""


class ConnectionClosed(ContractViolation):
    """The connection ended, or could not be opened."""


class NotAlive(ContractViolation):
    """The connection is open, but does not answer pings."""


class MarkedReply(ContractViolation):
    """An answer that the rules of the test rule out."""
