"""The exceptions of this package, in one tree.

AsyncApiServerError
├── DocumentError        the document has faults; nothing is served from it
├── ContractError        a compiled contract is outdated, or lacks what was requested
├── RouterSetupError     handlers and messages do not match
├── UndocumentedMessage  the server tried to send a message that its document lacks
└── Refusal              raised by a handler: the client gets its code and text
"""

from __future__ import annotations

from collections.abc import Iterable

from asyncapi_server.findings import Finding


class AsyncApiServerError(Exception):
    """Base of every error of this package."""


class DocumentError(AsyncApiServerError):
    """The document cannot be served; `findings` says what to fix and where."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class ContractError(AsyncApiServerError):
    """The contract has another format version, or lacks what was requested."""


class RouterSetupError(AsyncApiServerError):
    """Handlers and messages do not match; the text names each mismatch."""


class UndocumentedMessage(AsyncApiServerError):
    """The server tried to send a message that the document does not allow here."""
