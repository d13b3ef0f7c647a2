"""From a path to a document."""

from __future__ import annotations

from pathlib import Path

from asyncapi_server.document import asyncapi2, asyncapi3
from asyncapi_server.document.model import Document
from asyncapi_server.document.source import Library, Node
from asyncapi_server.errors import DocumentError, Finding

VERSIONS = ("2.0.0", "2.1.0", "2.2.0", "2.3.0", "2.4.0", "2.5.0", "2.6.0", "3.0.0", "3.1.0")


def read_document(root: Node) -> tuple[Document, list[Finding]]:
    """What can be read of a document, and every fault that was met on the way."""
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
