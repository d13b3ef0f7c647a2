"""The ways in which a server can violate its document, in one tree.

ContractViolation
├── UnexpectedMessage    the received message is not in the document
├── WrongReply           a documented answer, but to no waiting request
├── NotCorrelated        the right answer with the wrong correlation id, or without one
├── NoReply              no answer in time
├── ConnectionClosed     the connection ended, or could not be opened
├── NotAlive             the connection is open, but does not answer pings
└── MarkedReply          a message that the rules of the test forbid
"""

from __future__ import annotations

from asyncapi_server.errors import AsyncApiServerError


class ContractViolation(AsyncApiServerError):
    """The server violated its document; `transcript` lists the messages that led to it."""

    def __init__(self, text: str, transcript: tuple[str, ...] = ()) -> None:
        self.text = text
        self.transcript = transcript
        super().__init__("\n  ".join((text, *transcript)))


class UnexpectedMessage(ContractViolation):
    """The received message is not in the document."""


class WrongReply(ContractViolation):
    """A documented answer, but to no waiting request."""


class NotCorrelated(ContractViolation):
    """The right answer with the wrong correlation id, or without one."""


class NoReply(ContractViolation):
    """No answer in time."""


class ConnectionClosed(ContractViolation):
    """The connection ended, or could not be opened."""


class NotAlive(ContractViolation):
    """The connection is open, but does not answer pings."""


class MarkedReply(ContractViolation):
    """A message that the rules of the test forbid."""
