"""Keywords of schemas, put together where several schemas hold for one value.

The result may admit more than the schemas do, and never less.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cached_property

Schema = Mapping[str, object]

Meaning = tuple[str, frozenset[tuple[str, str]]]
"""The text of a schema, and those of all definitions that it needs."""

_PREFIX = "#/definitions/"
_TARGET = re.compile(rf'"\$ref": "{_PREFIX}([^"]*)"')
SHAPING = frozenset(
    {"$ref", "additionalProperties", "allOf", "anyOf", "const", "enum", "items", "oneOf",
     "properties", "type"}
)  # fmt: skip
"""The keywords that a type can follow."""
MAX_CHAIN = 50
"""References and parts that are followed, one after another, to the keywords of one schema."""


def reference(schema: object) -> str | None:
    """The definition that a schema refers to, by itself or by its only part."""
    while isinstance(schema, Mapping):
        target = schema.get("$ref")
        if isinstance(target, str):
            return target.removeprefix(_PREFIX)
        shaping = (SHAPING | {"required"}) & schema.keys()
        parts = items(schema, *shaping) if len(shaping) == 1 else []
        schema = parts[0] if len(parts) == 1 else None
    return None


class Scope:
    """A self-contained schema (see `document.schemas.bundle`)."""

    def __init__(self, schema: Schema) -> None:
        outer = ("$schema", "definitions")
        self.top = {keyword: value for keyword, value in schema.items() if keyword not in outer}
        """The schema without its definitions."""
        self.definitions = mapping(schema, "definitions")
        self._known: dict[str, Schema] = {}
        self._meanings: dict[str, Meaning] = {}

    @cached_property
    def _texts(self) -> dict[str, str]:
        return {name: _text(schema) for name, schema in self.definitions.items()}

    def meaning(self, target: str | None = None) -> Meaning:
        """A value that is equal for equal schemas: of a definition, or of the top."""
        if target is None:
            return self._meaning(_text(self.top))
        if target not in self._meanings:
            self._meanings[target] = self._meaning(self._texts[target])
        return self._meanings[target]

    def _meaning(self, own: str) -> Meaning:
        found: set[str] = set()
        waiting = [own]
        while waiting:
            for name in _TARGET.findall(waiting.pop()):
                if name not in found and name in self._texts:
                    found.add(name)
                    waiting.append(self._texts[name])
        return own, frozenset((name, self._texts[name]) for name in found)

    def keywords(self, schema: object, chain: int = MAX_CHAIN) -> Schema:
        """The keywords of a schema and of all its parts, without `$ref` and `allOf`.

        Alternatives that differ in nothing that a type can follow are left out.
        A schema that is no object has none, and so has what leads on for too long.
        """
        if not isinstance(schema, Mapping) or chain < 0:
            return {}
        target = reference(schema)
        if target is not None:
            if target not in self._known:
                self._known[target] = {}  # of a schema that needs itself
                self._known[target] = self.keywords(self.definitions.get(target), chain - 1)
            return self._known[target]
        result = _without(schema, "allOf")
        for part in items(schema, "allOf"):
            result = merged(result, self.keywords(part, chain - 1))
        for keyword in ("oneOf", "anyOf"):
            parts = items(result, keyword)
            if not all(isinstance(part, Mapping) and SHAPING & part.keys() for part in parts):
                # `required` alone makes no type, but names members.
                result = merged(_without(result, keyword), _named(parts))
            elif len(parts) == 1:
                part = self.keywords(parts[0], chain - 1)
                result = merged(_without(result, keyword), part)
        return result


def merged(one: Schema, two: Schema) -> Schema:
    """The keywords of a value that meets both."""
    result = {**two, **one}
    if "required" in one and "required" in two:
        result["required"] = [*items(one, "required"), *items(two, "required")]
    if "properties" in one and "properties" in two:
        mine, theirs = mapping(one, "properties"), mapping(two, "properties")
        both = {name: {"allOf": [mine[name], theirs[name]]} for name in mine if name in theirs}
        result["properties"] = {**mine, **theirs, **both}
    if "items" in one and "items" in two:
        alike = not isinstance(one["items"], list) and not isinstance(two["items"], list)
        result["items"] = {"allOf": [one["items"], two["items"]]} if alike else True
    if "type" in one and "type" in two:
        result["type"] = _common(_types(one), _types(two))
    if "const" in two:
        result["const"] = two["const"]
    if one.get("additionalProperties") != two.get("additionalProperties"):
        result.pop("additionalProperties", None)
    return result


def items(schema: Schema, keyword: str) -> list[object]:
    """The list at a keyword; empty where there is none."""
    found = schema.get(keyword)
    return found if isinstance(found, list) else []


def mapping(schema: Schema, keyword: str) -> Schema:
    """The object at a keyword; empty where there is none."""
    found = schema.get(keyword)
    return found if isinstance(found, Mapping) else {}


def _named(parts: list[object]) -> Schema:
    """The members that some schemas require, of which they say nothing else."""
    schemas = [part for part in parts if isinstance(part, Mapping)]
    names = [name for each in schemas for name in items(each, "required") if isinstance(name, str)]
    return {"properties": {name: {} for name in names}} if names else {}


def _without(schema: Schema, keyword: str) -> Schema:
    return {key: value for key, value in schema.items() if key != keyword}


def _common(one: list[object], two: list[object]) -> list[object]:
    """The types that both lists have; an integer is a number too."""
    wide = {*two, *(["integer"] if "number" in two else [])}
    narrow = [kind for kind in one if kind in wide]
    if "number" in one and "integer" in two and "integer" not in narrow:
        narrow.append("integer")
    return narrow


def _types(schema: Schema) -> list[object]:
    declared = schema["type"]
    return declared if isinstance(declared, list) else [declared]


def _text(schema: object) -> str:
    return json.dumps(schema, sort_keys=True)
