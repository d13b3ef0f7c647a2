"""A schema together with the parts of its `allOf`, as one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from asyncapi_server.docs import wording
from asyncapi_server.docs.wording import Schema
from asyncapi_server.document.source import DanglingReference, Node
from asyncapi_server.jsontext import json_type

ANY = "any value"
NOTHING = "no value"
MAX_KINDS = 20
"""Alternatives whose types are compared."""
_TYPE = re.compile(r"\b(?:array|boolean|integer|number|object|string|value)\b")
MAX_PARTS = 50
"""Parts of one `allOf`, with those inside of them, that are read."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The alternatives of a `oneOf` or an `anyOf`, without `null`."""

    exclusive: bool
    """Whether only one of them may hold."""
    alternatives: tuple[Node, ...]
    nullable: bool
    """Whether `null` is one, too."""


@dataclass(frozen=True)
class Shape:
    """The parts of a schema that all hold, references followed; the schema itself is the first."""

    nodes: tuple[Node, ...]

    @classmethod
    def of(cls, nodes: Sequence[Node]) -> Shape:
        """The shape of schemas that all hold; raises DanglingReference."""
        parts: dict[tuple[str, str], Node] = {}
        waiting = list(reversed(nodes))
        while waiting and len(parts) < MAX_PARTS:
            node = waiting.pop().follow()
            if node.identity not in parts:
                parts[node.identity] = node
                waiting += reversed(_elements(node, "allOf"))
        return cls(tuple(parts.values()))

    def and_also(self, node: Node) -> Shape:
        """The shape of values that meet a schema, too; raises DanglingReference."""
        return Shape.of((*self.nodes, node))

    @cached_property
    def schemas(self) -> tuple[Schema, ...]:
        """The parts that have keywords."""
        return tuple(node.value for node in self.nodes if isinstance(node.value, dict))

    @cached_property
    def required(self) -> frozenset[str]:
        """The members that a value must have."""
        listed = [schema.get("required") for schema in self.schemas]
        return frozenset(str(name) for names in listed if isinstance(names, list) for name in names)

    @cached_property
    def properties(self) -> dict[str, list[Node]]:
        """The schemas of each member that is named."""
        found: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name, member in node.items_of("properties"):
                found.setdefault(name, []).append(member)
        return found

    @property
    def patterned(self) -> Iterator[tuple[str, Node]]:
        """The members that a pattern of their name selects."""
        for node in self.nodes:
            yield from node.items_of("patternProperties")

    @property
    def others(self) -> list[Node]:
        """The schemas of members of any other name."""
        found = [node.raw("additionalProperties") for node in self.nodes]
        return [each for each in found if each is not None and isinstance(each.value, dict)]

    @cached_property
    def places(self) -> list[Node]:
        """The schemas of the elements of an array by their index, where they differ."""
        for keyword in ("prefixItems", "items"):
            for node in self.nodes:
                found = _elements(node, keyword)
                if found:
                    return found
        return []

    @cached_property
    def element(self) -> list[Node]:
        """The schemas of the elements of an array that have no place of their own."""
        keywords = ("items", "additionalItems") if self.places else ("items",)
        found = [node.raw(keyword) for node in self.nodes for keyword in keywords]
        return [each for each in found if each is not None and isinstance(each.value, dict)]

    @cached_property
    def choices(self) -> list[Choice]:
        """Every choice between alternatives."""
        return [
            _choice(keyword == "oneOf", alternatives)
            for node in self.nodes
            for keyword in ("oneOf", "anyOf")
            if (alternatives := _elements(node, keyword))
        ]

    def below(self, keyword: str) -> Iterator[Node]:
        """The schemas of a keyword that has one, such as `not`."""
        found = (node.raw(keyword) for node in self.nodes)
        return (each for each in found if each is not None)

    def text(self, keyword: str) -> str:
        """The first text of a keyword; "" without one."""
        found = (node.text(keyword) for node in self.nodes)
        return next((text for text in found if text), "")

    def has(self, keyword: str) -> bool:
        """Whether a keyword is true."""
        return any(schema.get(keyword) is True for schema in self.schemas)

    @cached_property
    def constants(self) -> list[object]:
        """The only values, where a part lists them."""
        return next(filter(None, map(wording.constants_of, self.schemas)), [])

    @property
    def default(self) -> str:
        """The default, as JSON; "" without one."""
        values = (schema["default"] for schema in self.schemas if "default" in schema)
        return next(map(wording.as_json, values), "")

    @cached_property
    def needed(self) -> list[str]:
        """The members that it requires and does not describe."""
        names = (name for schema in self.schemas for name in wording.needed(schema))
        return [name for name in dict.fromkeys(names) if name not in self.properties]

    @cached_property
    def nullable(self) -> bool:
        """Whether `null` is a value beside those of its type."""
        return self.has("nullable") or any(choice.nullable for choice in self.choices)

    @cached_property
    def type(self) -> str:
        """The type in words: "array of integers or null"."""
        text = self._type(depth=3)
        return f"{text} or null" if self.nullable and "null" not in text.split() else text

    @property
    def kinds(self) -> str:
        """The types of the alternatives, in words, where they are few."""
        nodes = [node for choice in self.choices for node in choice.alternatives]
        if len(nodes) > MAX_KINDS:
            return ANY
        try:
            kinds = {Shape.of([node])._type(depth=0) for node in nodes}
        except DanglingReference:
            return ANY
        return wording.listed(sorted(kinds), "or") if 0 < len(kinds) <= 3 else ANY

    def _type(self, depth: int) -> str:
        if any(node.value is False for node in self.nodes):
            return NOTHING
        for schema in self.schemas:
            declared = schema.get("type")
            if declared == "array":
                return self._array(depth)
            if isinstance(declared, list) and declared:
                names = [wording.type_name(each) for each in declared]
                return wording.formatted(wording.listed(names, "or"), schema)
            if isinstance(declared, str):
                return wording.formatted(wording.type_name(declared), schema)
        if self.constants:
            return wording.listed(dict.fromkeys(map(json_type, self.constants)), "or")
        if self.element or self.places:
            return self._array(depth)
        if self.properties or self.required:
            return "object"
        formats = (wording.formatted("", schema) for schema in self.schemas)
        return f"{ANY}{next(filter(None, formats), '')}"

    def _array(self, depth: int) -> str:
        if self.places or not self.element or depth == 0:
            return "array"
        try:
            element = Shape.of(self.element)
        except DanglingReference:
            return "array"
        text = element._type(depth - 1)
        if text == ANY:
            text = element.kinds
        if element.nullable and text != ANY:
            return f"array of {_plural(text)} or null"
        return f"array of {_plural(text)}"


def _choice(exclusive: bool, alternatives: list[Node]) -> Choice:
    nullable = [each for each in alternatives if each.text("type") == "null"]
    return Choice(
        exclusive, tuple(each for each in alternatives if each not in nullable), bool(nullable)
    )


def _elements(node: Node, keyword: str) -> list[Node]:
    found = node.raw(keyword)
    return list(found.elements()) if found is not None else []


def _plural(text: str) -> str:
    """Types in the plural: "object or string" -> "objects or strings"."""
    return _TYPE.sub(lambda match: f"{match[0]}s", text, count=0 if "(" not in text else 1)
