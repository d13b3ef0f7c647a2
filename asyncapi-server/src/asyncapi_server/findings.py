"""Findings of a check: each with its place, its rule and one sentence to act on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, IntEnum

MAX_TEXT = 1_000
"""The longest text of a finding."""


class Severity(IntEnum):
    """The weight of a finding, the heaviest first."""

    ERROR = 0
    """The standard is broken."""
    UNSERVED = 1
    """The document is sound, but a part of it cannot be served here."""
    ADVICE = 2
    """A document without it is easier to serve, to test or to read."""


class Rule(Enum):
    """A rule that a document can break: its id, the severity of breaking it, and a sentence."""

    FILE = "file", Severity.ERROR, "Each file of a document can be read and parsed."
    VERSION = "version", Severity.ERROR, "A document names a known version of AsyncAPI."
    REFERENCE = "reference", Severity.ERROR, "Each reference leads somewhere."
    STANDARD = "standard", Severity.ERROR, "A document meets the meta-schema of its version."
    SCHEMA = "schema", Severity.ERROR, "Each payload has a valid schema."
    OPERATION = "operation", Severity.ERROR, "The messages of an operation are its channel's."
    PARAMETER = "parameter", Severity.ERROR, "Parameters are those of the address."
    SERVER = "server", Severity.ERROR, "Servers are those of the document."
    EXAMPLE = "example", Severity.ERROR, "Examples meet their schema."
    SECURITY = "security", Severity.ERROR, "Security schemes are those of the document."
    UNIQUE = "unique", Severity.ERROR, "Ids and tags are unique."
    EXTENSION = "extension", Severity.ERROR, "Extensions have the form that is published."
    ADDRESS = "address", Severity.UNSERVED, "A channel that is served has an address."
    FORMAT = "format", Severity.UNSERVED, "Schemas are in a format that can be validated."
    CONTENT = "content", Severity.UNSERVED, "Messages are in JSON."
    PROTOCOL = "protocol", Severity.UNSERVED, "Channels are those of WebSocket servers."
    TWIN = "twin", Severity.UNSERVED, "No message has the schema of another one."
    REPLY = "reply", Severity.UNSERVED, "A reply is a message of its request's channel."
    HANDSHAKE = "handshake", Severity.UNSERVED, "A connection is opened as RFC 6455 has it."
    AMBIGUOUS = "ambiguous", Severity.ADVICE, "Messages differ by a constant that each requires."
    ANSWER = "answer", Severity.ADVICE, "Each request has an answer, and one can report an error."
    AGREEMENT = "agreement", Severity.ADVICE, "The extension x-response names what reply names."
    UNILLUSTRATED = "unillustrated", Severity.ADVICE, "Each message has an example."
    UNUSED = "unused", Severity.ADVICE, "Each component is used."

    def __init__(self, key: str, severity: Severity, says: str) -> None:
        self.key = key
        self.severity = severity
        self.says = says


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A location: a file, a line (0 when unknown) and a JSON pointer in the file."""

    file: str
    line: int
    pointer: str

    def __str__(self) -> str:
        line = f":{self.line}" if self.line else ""
        return f"{self.file}{line} #{self.pointer}"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One fault of a document, with its place."""

    place: Place
    text: str
    rule: Rule = field(default=Rule.STANDARD, compare=False)

    def __post_init__(self) -> None:
        """Cut a text that quotes more of a document than a person reads."""
        if len(self.text) > MAX_TEXT:
            object.__setattr__(self, "text", self.text[: MAX_TEXT - 1] + "…")

    def __str__(self) -> str:
        return printable(f"{self.place}: {self.text}")

    @property
    def severity(self) -> Severity:
        """The severity of its rule."""
        return self.rule.severity


def of(severity: Severity, findings: Iterable[Finding]) -> list[Finding]:
    """The findings of one severity."""
    return [finding for finding in findings if finding.severity is severity]


def printable(text: str) -> str:
    """A text of a document on one line, without what a terminal would obey."""
    flat = " ".join(text.split())
    if flat.isprintable():
        return flat
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in flat)
