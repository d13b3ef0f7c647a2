"""JSON Schemas as sets of values: whether one schema accepts all values of another.

jsonschema-rs decides for the schemas as a whole; a relation that it cannot prove does not hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import cast

import jsonschema_rs
from jsonschema_rs.canonical import Containment

from asyncapi_server.pointer import child
from scripts.compat.changes import Direction
from scripts.compat.parts import ANNOTATIONS, Object, Part, canonical, equal, fragment

ONE = ("additionalItems", "additionalProperties", "contains", "else", "if", "items", "not",
       "propertyNames", "then")  # fmt: skip
LIST = ("allOf", "anyOf", "items", "oneOf")
MAP = ("dependencies", "patternProperties", "properties")
"""Keywords whose values are a schema, a list of schemas, schemas by name."""
_SETS = ("allOf", "anyOf", "enum", "oneOf", "required", "type")
"""Keywords whose values are lists in which the order has no meaning."""
_SINCE_DRAFT_6 = frozenset({"const", "contains", "propertyNames", "if", "then", "else"})
_ASSERTIONS = frozenset({
    *ONE, *LIST, *MAP, "const", "enum", "exclusiveMaximum", "exclusiveMinimum", "maxItems",
    "maxLength", "maxProperties", "maximum", "minItems", "minLength", "minProperties", "minimum",
    "multipleOf", "pattern", "required", "type", "uniqueItems",
})  # fmt: skip
WORDS = ANNOTATIONS | {"$comment", "$schema", "definitions"}
"""Keywords that do not constrain values; `definitions` count where they are used."""


_CHOICE = re.compile(r"\((allOf|anyOf|oneOf) \d+\)")
PROPERTY = "a property"
"""Stands in place of a keyword for the fact that a schema names a property."""


class Effect(Enum):
    """The effect of a difference on the set of values that a schema accepts."""

    SAME = "same"
    WIDER = "wider"
    NARROWER = "narrower"
    OTHER = "other"
    """Neither, or it could not be proven."""


class Dialect(Enum):
    """The form of a schema; the value is the draft that validates it."""

    JSON_SCHEMA = 7
    OPENAPI = 4
    """OpenAPI 3.0: draft 4, with `nullable`, and `required` bound to a direction by `readOnly`."""

    @property
    def assertions(self) -> frozenset[str]:
        """The keywords that validation checks."""
        return _ASSERTIONS - (_SINCE_DRAFT_6 if self is Dialect.OPENAPI else frozenset())


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema or a part of one, with the document that its references point into."""

    value: object
    root: Object
    pointer: str = ""
    dialect: Dialect = Dialect.JSON_SCHEMA
    direction: Direction | None = None
    """Who writes the value, where the schema's demands depend on that."""

    @classmethod
    def whole(cls, value: Object) -> Schema:
        """A self-contained schema, which contains all that it refers to."""
        return cls(value, value)

    @classmethod
    def of(cls, holder: Part, key: str, dialect: Dialect) -> Schema:
        """The schema under a key of an object; without one it accepts every value."""
        return cls(holder.fields.get(key, {}), holder.document, child(holder.pointer, key), dialect)

    def part(self, value: object, *path: str | int) -> Schema:
        """A schema below this one."""
        pointer = self.follow().pointer
        for token in path:
            pointer = child(pointer, token)
        return replace(self, value=value, pointer=pointer)

    def member(self, keyword: str, *path: str | int, default: object = True) -> Schema:
        """The schema under a keyword."""
        value: object = self.plain().get(keyword, default)
        for token in path:
            value = cast(Mapping[str | int, object], value)[token]
        return self.part(value, keyword, *path)

    @property
    def reference(self) -> str | None:
        """The target of the schema when it is a reference."""
        target = self.value.get("$ref") if isinstance(self.value, Mapping) else None
        return target if isinstance(target, str) else None

    @property
    def beside(self) -> Object:
        """The keywords beside a reference, which validation ignores."""
        if self.reference is None or not isinstance(self.value, Mapping):
            return {}
        return {k: v for k, v in self.value.items() if k != "$ref" and k not in WORDS}

    def follow(self) -> Schema:
        """The schema at the end of its references."""
        if self.reference is None:
            return self
        part = Part.at(self.root, fragment(self.reference))
        return replace(self, value=part.value, pointer=part.pointer)

    def plain(self) -> Object:
        """The keywords of the schema in the form of JSON Schema, references followed."""
        value = self.follow().value
        if isinstance(value, Mapping):
            return self.keywords(value)
        return {"not": {}} if value is False else {}

    def standalone(self) -> dict[str, object]:
        """The schema with only what it refers to, without annotations."""
        return _Copy(self).result

    def facts(self, *, regrouped: bool = False) -> set[tuple[str, str, str]]:
        """The facts beyond the values that the schema accepts: path, keyword and value.

        With `regrouped` the path does not name the alternative of a choice.
        """
        found = _facts(self, "", ())
        if regrouped:
            return {(_CHOICE.sub("", path), keyword, value) for path, keyword, value in found}
        return set(found)

    def same_as(self, other: Schema) -> bool:
        """Whether the two have the same assertions and facts, annotations left out."""
        return equal(self.standalone(), other.standalone()) and self.facts() == other.facts()

    def keywords(self, value: Object) -> Object:
        """The keywords of an object of this dialect in the form of JSON Schema."""
        if self.dialect is not Dialect.OPENAPI:
            return value
        result = dict(value)
        if result.get("nullable") is True and isinstance(result.get("type"), str):
            result["type"] = [result["type"], "null"]
        if isinstance(result.get("type"), list) or result.get("nullable") is False:
            result.pop("nullable", None)
        required = result.get("required")
        if isinstance(required, list):
            hidden = self._hidden(value)
            result["required"] = [n for n in required if n not in hidden]
            if required and not result["required"]:
                del result["required"]
        return result

    def _hidden(self, value: Object) -> set[str]:
        """The properties that the writer of the value may omit although they are `required`."""
        properties = value.get("properties")
        if self.direction is None or not isinstance(properties, Mapping):
            return set()
        mark = "readOnly" if self.direction is Direction.CLIENT else "writeOnly"
        plain = {name: self.part(each).follow().value for name, each in properties.items()}
        return {n for n, v in plain.items() if isinstance(v, Mapping) and v.get(mark) is True}


class _Copy:
    """The assertions of a schema in the form of JSON Schema, normalized.

    References are expanded, except recursive ones.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._numbers: dict[str, str] = {}
        own = schema.plain() if isinstance(schema.value, bool) else schema.value
        definitions: dict[str, object] = {}
        self.result: dict[str, object] = {"allOf": [self._copy(own, ())]}
        while waiting := {t: n for t, n in self._numbers.items() if n not in definitions}:
            for target, number in waiting.items():
                value = Part.at(schema.root, target).value
                definitions[number] = self._copy(value, (target,))
        if definitions:
            self.result["definitions"] = definitions

    def _copy(self, value: object, within: tuple[str, ...]) -> object:
        if not isinstance(value, Mapping):
            return value
        if isinstance(value.get("$ref"), str):
            return self._target(fragment(str(value["$ref"])), within)
        result: dict[str, object] = {}
        for keyword, member in sorted(self._schema.keywords(value).items()):
            if keyword not in self._schema.dialect.assertions:
                continue
            if keyword in MAP and isinstance(member, Mapping):
                result[keyword] = {n: self._copy(member[n], within) for n in sorted(member)}
            elif keyword in LIST and isinstance(member, list):
                result[keyword] = [self._copy(each, within) for each in member]
            else:
                result[keyword] = self._copy(member, within) if keyword in ONE else member
            if keyword in _SETS and isinstance(member, list):
                result[keyword] = sorted(cast(list[object], result[keyword]), key=canonical)
        return result

    def _target(self, target: str, within: tuple[str, ...]) -> object:
        if target in within:
            number = self._numbers.setdefault(target, str(len(self._numbers)))
            return {"$ref": f"#/definitions/{number}"}
        return self._copy(Part.at(self._schema.root, target).value, (*within, target))


def within(one: Schema, other: Schema) -> bool:
    """Whether it is proven that every value of `one` is a value of `other`."""
    small, large = one.standalone(), other.standalone()
    if equal(small, large):
        return True
    try:
        narrow, wide = (
            jsonschema_rs.canonicalize(each, draft=one.dialect.value, offline=True)
            for each in (small, large)
        )
    except ValueError:
        return False
    return wide.covers(narrow) == Containment.YES


def effect(old: Schema, new: Schema) -> Effect:
    """The effect of the step from `old` to `new` on the set of values."""
    wider, narrower = within(old, new), within(new, old)
    if wider and narrower:
        return Effect.SAME
    if wider:
        return Effect.WIDER
    return Effect.NARROWER if narrower else Effect.OTHER


def _facts(schema: Schema, path: str, met: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    for keyword, value in schema.beside.items():
        yield path, f"{keyword} beside $ref", canonical(value)
    reference = schema.reference
    if reference is not None:
        if reference in met:
            return
        met = (*met, reference)
    for keyword, value in schema.plain().items():
        if keyword not in schema.dialect.assertions | WORDS:
            yield path, keyword, canonical(value)
        for name, below in _below(schema, keyword, value):
            if keyword == "properties":
                yield f"{path}{name}", PROPERTY, ""
            yield from _facts(below, f"{path}{name}", met)


def _below(schema: Schema, keyword: str, value: object) -> Iterator[tuple[str, Schema]]:
    """The schemas under a keyword, each with its step of the path."""
    if keyword in MAP and isinstance(value, Mapping):
        for name in value:
            yield f"/{name}", schema.member(keyword, name)
    elif keyword in LIST and isinstance(value, list):
        for index in range(len(value)):
            yield f"({keyword} {index})", schema.member(keyword, index)
    elif keyword in ONE:
        yield f"/{keyword}", schema.member(keyword)
