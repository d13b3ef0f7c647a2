"""One self-contained document out of a document and the schema files that it refers to.

Every schema keeps its name: `schemas/trade.yaml#/Trade` becomes `#/components/schemas/Trade`.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

from wsrouter.errors import DocumentError, Finding, Place
from wsrouter.source import DanglingReference, Library, Node

SPECS = Path("specs")
REST = SPECS / "openapi.yaml"
STREAM = SPECS / "stream.asyncapi.yaml"


class Bundle:
    """A document with every schema of other files taken in under `components.schemas`.

    Raises DocumentError, with every fault, when references lead nowhere or two schemas of
    different files have one name.
    """

    def __init__(self, path: Path) -> None:
        self.root = Library().open(path)
        self._schemas: dict[str, dict[str, object]] = {}
        self._origins: dict[str, Node] = {}
        self._findings: list[Finding] = []
        own = self.root.raw("components", "schemas")
        if own is not None:
            self._origins.update(own.items())
        self.document = cast(dict[str, object], self._copy(self.root))
        """The whole document; every `$ref` in it begins with `#/`."""
        if self._findings:
            raise DocumentError(self._findings)
        components = cast(dict[str, object], self.document.setdefault("components", {}))
        self.schemas = cast(dict[str, dict[str, object]], components.setdefault("schemas", {}))
        """The schemas by name, those of other files last."""
        self.schemas.update(sorted(self._schemas.items()))

    def place(self, pointer: tuple[str, ...]) -> Place:
        """Where the value at a pointer into the bundled document was written."""
        node = self.root
        if pointer[:2] == ("components", "schemas") and len(pointer) > 2:
            node = self._origins.get(pointer[2], node)
            pointer = pointer[3:] if node is not self.root else pointer
        return (node.raw(*pointer) or node).place

    def _copy(self, node: Node) -> object:
        reference = node.reference
        if reference is not None:
            return {**cast(dict[str, object], node.value), "$ref": self._led(node, reference)}
        if isinstance(node.value, dict):
            return {key: self._copy(member) for key, member in node.items()}
        if isinstance(node.value, list):
            return [self._copy(element) for element in node.elements()]
        return node.value

    def _led(self, node: Node, reference: str) -> str:
        """The reference as it has to be in the bundle; its target is taken in."""
        try:
            target = node.target(reference)
        except DanglingReference as error:
            self._findings.append(Finding(node.place, f"{error}: mend the $ref or add its target"))
            return reference
        if target.source.path == self.root.source.path:
            return reference if reference.startswith("#") else f"#{target.pointer}"
        name = target.key
        known = self._origins.get(name)
        if known is None:
            self._origins[name] = target
            self._schemas[name] = cast(dict[str, object], self._copy(target))
        elif known.identity != target.identity:
            self._findings.append(
                Finding(target.place, f"{name!r} is also the name of {known.place}: rename one")
            )
        return f"#/components/schemas/{name}"
