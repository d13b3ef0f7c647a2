"""One of the two documents that are compared: AsyncAPI or OpenAPI."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from asyncapi_server.diff.values import canonical
from asyncapi_server.diff.version import Version
from asyncapi_server.document.dialects import Dialect
from asyncapi_server.document.loader import VERSIONS
from asyncapi_server.document.source import Library, Node
from asyncapi_server.errors import DocumentError
from asyncapi_server.findings import Finding, Rule

KINDS = ("asyncapi", "openapi")
_OPENAPI = {"3.0": Dialect.OPENAPI_3_0, "3.1": Dialect.DRAFT_2020}


@dataclass(frozen=True, slots=True)
class Spec:
    """A document, whose references are followed as the comparison reaches them."""

    kind: str
    """"asyncapi" or "openapi"."""
    edition: str
    """The version of AsyncAPI or OpenAPI that it is written in: "3.1.0"."""
    version: Version
    """Its own version, from `info.version`."""
    root: Node
    as_client: bool = False
    """Whether it describes a client, which receives what servers send."""

    @classmethod
    def read(cls, path: Path, *, as_client: bool = False, within: Path | None = None) -> Spec:
        """Read the document at `path`, whose references lead to files in the folder `within`.

        That is the document's own folder unless given. Raises DocumentError when it is no document
        of a known version, or its `info.version` is no version.
        """
        return cls.of(Library(within).open(path), as_client=as_client)

    @classmethod
    def of(cls, root: Node, *, as_client: bool = False) -> Spec:
        """The document with a root that was read; raises what `read` raises."""
        if not isinstance(root.value, dict):
            raise _fault(root, "a document is an object, and this is none")
        kind = next((kind for kind in KINDS if kind in root.value), None)
        if kind is None:
            raise _fault(root, "there is no key 'asyncapi' or 'openapi' with the version")
        edition = root.text(kind) or ""
        known = edition in VERSIONS if kind == "asyncapi" else edition[:4] in ("3.0.", "3.1.")
        if not known:
            listed = ", ".join(VERSIONS) if kind == "asyncapi" else "3.0.x, 3.1.x"
            text = f"{kind} is {root.value[kind]!r}, and has to be one of: {listed}"
            raise _fault(root.raw(kind) or root, text)
        return cls(kind, edition, _version(root), root, as_client)

    @property
    def dialect(self) -> Dialect:
        """The dialect of schemas that name none."""
        return _OPENAPI[self.edition[:3]] if self.kind == "openapi" else Dialect.DRAFT_7

    def name(self, node: Node) -> str:
        """A place for people: its pointer, after the name of the file when that is another one."""
        file = "" if node.source is self.root.source else node.source.path.name
        return f"{file}#{node.pointer}"

    def texts(self) -> dict[str, str]:
        """The canonical text of each file that was read so far, without the version, by its path.

        The path is relative to that of the document, whose own is ".".
        """
        start = self.root.source.path.parent
        found = {
            os.path.relpath(file.source.path, start): canonical(file.value)
            for file in self.root.library.roots
            if file.source is not self.root.source
        }
        whole = self.root.value if isinstance(self.root.value, dict) else {}
        info = whole.get("info")
        kept = {k: v for k, v in info.items() if k != "version"} if isinstance(info, dict) else info
        return {**found, ".": canonical({**whole, "info": kept})}


def _version(root: Node) -> Version:
    declared = root.raw("info", "version")
    if declared is None:
        raise _fault(root.raw("info") or root, "there is no info.version to judge changes by")
    try:
        return Version.parse(str(declared.value).strip())
    except ValueError as error:
        raise _fault(declared, f"info.version: {error}") from error


def _fault(node: Node, text: str) -> DocumentError:
    return DocumentError([Finding(node.place, text, Rule.VERSION)])
