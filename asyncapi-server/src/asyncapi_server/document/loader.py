"""Loading a document from a path."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from asyncapi_server.document import asyncapi2, asyncapi3
from asyncapi_server.document.channels import served
from asyncapi_server.document.model import Document
from asyncapi_server.document.source import Library, Node
from asyncapi_server.errors import DocumentError
from asyncapi_server.findings import Finding, Rule

VERSIONS = ("2.0.0", "2.1.0", "2.2.0", "2.3.0", "2.4.0", "2.5.0", "2.6.0", "3.0.0", "3.1.0")


def read_document(root: Node, *, as_client: bool = False) -> Document:
    """Read a document as far as possible; its findings say what is not served.

    Raises DocumentError when it is no document of a known version.
    """
    version = _version(root)
    read = asyncapi2.read if version < "3" else asyncapi3.read
    document = read(root, as_client=as_client)
    channels, findings = {}, [*document.findings]
    for address, channel in document.channels.items():
        channels[address], unserved = served(channel)
        findings += unserved
    return replace(document, channels=channels, findings=tuple(findings))


def load_document(
    path: Path | str, *, as_client: bool = False, within: Path | None = None
) -> Document:
    """Load a document and the files that it refers to, which lie in the folder `within`.

    `as_client` turns the directions of a document that describes a client. `within` is the
    document's own folder unless given. Raises DocumentError when it cannot be read at all; what of
    it cannot be served is among its findings.
    """
    return read_document(Library(within).open(Path(path)), as_client=as_client)


def _version(root: Node) -> str:
    """The version of AsyncAPI that a document names; raises DocumentError."""
    if not isinstance(root.value, dict):
        text = "a document is an object, and this is none"
        raise DocumentError([Finding(root.place, text, Rule.STANDARD)])
    version = root.value.get("asyncapi")
    if isinstance(version, str) and version in VERSIONS:
        return version
    place = (root.raw("asyncapi") or root).place
    known = f"known versions: {', '.join(VERSIONS)}"
    if version is None:
        text = f"there is no key 'asyncapi' with the version; {known}"
    elif isinstance(version, int | float):
        text = f"asyncapi is the number {version}, and has to be a text of three parts; {known}"
    else:
        text = f"asyncapi is {version!r}; {known}"
    raise DocumentError([Finding(place, text, Rule.VERSION)])
