"""Loading a document from a path."""

from __future__ import annotations

from pathlib import Path

from asyncapi_server.document import asyncapi2, asyncapi3
from asyncapi_server.document.model import Document
from asyncapi_server.document.source import Library, Node
from asyncapi_server.errors import DocumentError, Finding

VERSIONS = ("2.0.0", "2.1.0", "2.2.0", "2.3.0", "2.4.0", "2.5.0", "2.6.0", "3.0.0", "3.1.0")


def read_document(root: Node) -> tuple[Document, list[Finding]]:
    """Read a document as far as possible; returns it with every fault found on the way."""
    version = root.text("asyncapi") or ""
    if version not in VERSIONS:
        text = f"asyncapi is {version or 'absent'!r}; known versions: {', '.join(VERSIONS)}"
        return Document("", "", version, root.place), [Finding(root.place, text)]
    read = asyncapi2.read if version < "3" else asyncapi3.read
    return read(root)


def load_document(path: Path | str) -> Document:
    """Load a document and the files that it refers to; raises DocumentError with every fault."""
    document, findings = read_document(Library().open(Path(path)))
    if findings:
        raise DocumentError(findings)
    return document
