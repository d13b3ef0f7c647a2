"""Bundles a document and the files that it refers to into one self-contained document.

Every part keeps its name and moves to the `components` of its kind: `schemas/trade.yaml#/Trade`
becomes `#/components/schemas/Trade`, `messages.yaml#/ping` becomes `#/components/messages/ping`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from asyncapi_server.document.source import DanglingReference, Library, Node
from asyncapi_server.errors import DocumentError
from asyncapi_server.findings import Finding, Place

Object = Mapping[str, object]

_SCHEMAS = "schemas"
_KINDS = {
    "correlationId": "correlationIds",
    "messages": "messages",
    "x-response": "messages",
    "payload": _SCHEMAS,
    "schema": _SCHEMAS,
    "schemas": _SCHEMAS,
}
"""The member of `components` for targets of references below a key. Schemas have schemas only."""


class Bundle:
    """A document with every part from other files copied to `components`.

    Raises DocumentError, with every fault, when references lead nowhere or two parts of one kind
    from different files have the same name.
    """

    def __init__(self, path: Path) -> None:
        self.root = Library().open(path)
        self._taken: dict[str, dict[str, object]] = {_SCHEMAS: {}}
        self._origins: dict[tuple[str, str], Node] = {}
        self._findings: list[Finding] = []
        for kind, parts in self.root.items_of("components"):
            self._origins.update({(kind, name): part for name, part in parts.items()})
        self.document = cast(dict[str, object], self._copy(self.root, ""))
        """The whole document; every `$ref` in it begins with `#/`."""
        if self._findings:
            raise DocumentError(self._findings)
        components = cast(
            dict[str, dict[str, dict[str, object]]], self.document.setdefault("components", {})
        )
        for kind, taken in sorted(self._taken.items()):
            components.setdefault(kind, {}).update(
                cast(dict[str, dict[str, object]], dict(sorted(taken.items())))
            )
        self.schemas = components[_SCHEMAS]
        """The schemas by name, those of other files last."""

    def resolved(self, value: Object) -> Object:
        """The value, or the part of the bundled document that it refers to."""
        while isinstance(reference := value.get("$ref"), str):
            target: object = self.document
            for token in reference.removeprefix("#/").split("/"):
                target = cast(Object, target)[token]
            value = cast(Object, target)
        return value

    def place(self, pointer: tuple[str, ...]) -> Place:
        """The place in the source files of the value at a pointer into the bundled document."""
        node = self.root
        if pointer[:1] == ("components",) and len(pointer) > 2:
            node = self._origins.get((pointer[1], pointer[2]), node)
            pointer = pointer[3:] if node is not self.root else pointer
        return (node.raw(*pointer) or node).place

    def _copy(self, node: Node, kind: str) -> object:
        reference = node.reference
        if reference is not None:
            bundled = self._bundled(node, reference, kind or _SCHEMAS)
            return {**cast(dict[str, object], node.value), "$ref": bundled}
        if isinstance(node.value, dict):
            return {
                key: self._copy(member, kind if kind == _SCHEMAS else _KINDS.get(key, kind))
                for key, member in node.items()
            }
        if isinstance(node.value, list):
            return [self._copy(element, kind) for element in node.elements()]
        return node.value

    def _bundled(self, node: Node, reference: str, kind: str) -> str:
        """The reference as it is in the bundle, with its target copied there."""
        try:
            target = node.target(reference)
        except DanglingReference as error:
            self._findings.append(Finding(node.place, f"{error}: fix the $ref or add its target"))
            return reference
        if target.source.path == self.root.source.path:
            return reference if reference.startswith("#") else f"#{target.pointer}"
        name = target.key
        known = self._origins.get((kind, name))
        if known is None:
            self._origins[kind, name] = target
            taken = self._taken.setdefault(kind, {})
            taken[name] = self._copy(target, kind)
        elif known.identity != target.identity:
            self._findings.append(
                Finding(target.place, f"{name!r} is also the name of {known.place}: rename one")
            )
        return f"#/components/{kind}/{name}"
