"""Self-contained JSON Schemas: a schema and all that it refers to, in one value.

AsyncAPI's schemas are JSON Schema draft 7, and those of other dialects are said in it. Keywords
that do not take part in validation are left out, so the result is small, and equal for documents
that promise the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from asyncapi_server.document.dialects import Dialect, draft_7, is_unsayable
from asyncapi_server.document.source import Node

DIALECT = "http://json-schema.org/draft-07/schema#"
ANY: dict[str, object] = {"$schema": DIALECT}
"""The schema of any value."""

_ONE = frozenset(
    {"additionalItems", "additionalProperties", "contains", "else", "if", "items", "not",
     "propertyNames", "then"}
)  # fmt: skip
_LIST = frozenset({"allOf", "anyOf", "items", "oneOf", "prefixItems"})
_MAP = frozenset({"dependencies", "dependentSchemas", "patternProperties", "properties"})
_DATA = frozenset(
    {"const", "dependentRequired", "enum", "exclusiveMaximum", "exclusiveMinimum", "format",
     "maxItems", "maxLength", "maxProperties", "maximum", "minItems", "minLength",
     "minProperties", "minimum", "multipleOf", "nullable", "pattern", "required", "type",
     "uniqueItems"}
)  # fmt: skip
_ANNOTATIONS: Mapping[str, type] = {
    "default": object, "description": str, "example": object, "examples": list, "title": str,
}  # fmt: skip
"""Keywords that validate nothing, with the types of their values; others of them are left out."""


class Bundled(NamedTuple):
    """A schema by itself."""

    schema: dict[str, object]
    unread: tuple[tuple[Node, str], ...]
    """The keywords that draft 7 cannot say, each with the schema that has it."""
    parts: int
    """How many schemas it consists of."""


def bundle(node: Node, dialect: Dialect = Dialect.DRAFT_7, *, annotated: bool = False) -> Bundled:
    """The schema at `node`, in draft 7, with all that it refers to under `definitions`.

    With `annotated` it keeps its examples and defaults. Raises DanglingReference when a reference
    leads nowhere.
    """
    bundler = _Bundler(dialect, annotated=annotated)
    top = bundler.schema(node.follow())
    bundler.finish()
    schema: dict[str, object] = {"$schema": DIALECT}
    if top is not True:
        schema.update(top if isinstance(top, dict) else {"not": {}})
    if bundler.definitions:
        schema["definitions"] = dict(sorted(bundler.definitions.items()))
    return Bundled(schema, tuple(bundler.unread), bundler.parts)


class _Bundler:
    def __init__(self, dialect: Dialect, *, annotated: bool) -> None:
        self.dialect = dialect
        self._is_annotated = annotated
        self.definitions: dict[str, object] = {}
        self.unread: list[tuple[Node, str]] = []
        self.parts = 0
        self._names: dict[tuple[str, str], str] = {}
        self._taken: set[str] = set()
        self._waiting: list[tuple[str, Node]] = []

    def schema(self, node: Node) -> dict[str, object] | bool:
        """A copy of one schema with its references redirected to `definitions`."""
        self.parts += 1
        if node.reference is not None:
            target: dict[str, object] = {"$ref": f"#/definitions/{self._define(node.follow())}"}
            if self.dialect is not Dialect.DRAFT_2020:
                return target  # draft 7 ignores keywords beside a reference
            beside = self._keywords(node)
            return {"allOf": [target, beside]} if beside else target
        if isinstance(node.value, bool):
            return node.value
        return self._keywords(node)

    def finish(self) -> None:
        """Define what is referred to; one by one, since references may lead on for long."""
        while self._waiting:
            name, target = self._waiting.pop()
            self.definitions[name] = self.schema(target)

    def _keywords(self, node: Node) -> dict[str, object]:
        result: dict[str, object] = {}
        for keyword, member in node.items():
            if is_unsayable(keyword, self.dialect):
                self.unread.append((node, keyword))
            if keyword in _DATA:
                result[keyword] = member.value
            elif keyword in _ANNOTATIONS:
                if self._is_annotated and isinstance(member.value, _ANNOTATIONS[keyword]):
                    result[keyword] = member.value
            elif keyword in _MAP:
                result[keyword] = {
                    name: child.value if isinstance(child.value, list) else self.schema(child)
                    for name, child in member.items()
                }
            elif keyword in _LIST and isinstance(member.value, list):
                result[keyword] = [self.schema(child) for child in member.elements()]
            elif keyword in _ONE:
                result[keyword] = self.schema(member)
        return draft_7(result, self.dialect)

    def _define(self, target: Node) -> str:
        """Define the target of a reference; returns its name under `definitions`."""
        known = self._names.get(target.identity)
        if known is not None:
            return known
        base = re.sub(r"[^A-Za-z0-9_.-]", "_", target.key)
        name = base
        number = 2
        while name in self._taken:
            name, number = f"{base}_{number}", number + 1
        self._names[target.identity] = name
        self._taken.add(name)
        self._waiting.append((name, target))
        return name
