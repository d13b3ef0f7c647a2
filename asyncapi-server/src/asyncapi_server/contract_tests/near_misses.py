"""Values that break a schema in one place: each keyword, wherever it applies, violated once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from asyncapi_server import pointer as jsonpointer
from asyncapi_server.contract_tests.values import Json
from asyncapi_server.validation import Validator, validator

REMOVED = object()
"""Stands for a value that is removed."""
MAX_LENGTH = 2000
"""Longest text or array that is built to exceed an upper bound."""
MAX_KEPT = 32
"""Validators of alternatives that are kept: each holds all definitions of the schema."""
_OF_TYPE: Mapping[str, Json] = {
    "null": None,
    "boolean": True,
    "integer": 7,
    "number": 1.5,
    "string": "7",
    "array": [],
    "object": {},
}
_STRAY = ("extra", "Action", "__proto__")

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class NearMiss:
    """One change that should make a valid value invalid."""

    site: str
    """The place in any value, and the keyword: "/subscriptions/[] required symbol"."""
    path: Path
    value: Json
    """The new value at the path, or REMOVED."""

    def applied(self, root: Json) -> Json:
        """A copy of the value with the change made."""
        return _replaced(root, self.path, self.value)


class NearMisses:
    """The near misses of the values of one schema."""

    def __init__(self, schema: Mapping[str, object]) -> None:
        self._root = schema
        self._validators: dict[int, Validator] = {}
        """Those of alternatives, by the identity of the schema, which the root keeps alive."""

    def of(self, value: Json) -> list[NearMiss]:
        """The near misses of a valid value. A few may turn out valid: validate them."""
        return list(self._find(self._root, value, (), ""))

    def _find(self, schema: object, value: Json, path: Path, place: str) -> Iterator[NearMiss]:
        while isinstance(schema, Mapping) and isinstance(reference := schema.get("$ref"), str):
            schema = jsonpointer.lookup(self._root, jsonpointer.tokens(reference.lstrip("#")))
        if not isinstance(schema, Mapping):
            return
        for keyword, wrong in _wrong(schema, value):
            yield NearMiss(f"{place} {keyword}", path, wrong)
        for part in _list(schema, "allOf"):
            yield from self._find(part, value, path, place)
        for part in (*_list(schema, "anyOf"), *_list(schema, "oneOf")):
            if self._fits(part, value):
                yield from self._find(part, value, path, place)
        if isinstance(value, dict):
            yield from self._members(schema, value, path, place)
        if isinstance(value, list):
            items = schema.get("items", True)
            for index, element in enumerate(value[:3]):
                part = items if not isinstance(items, list) else (items[index:] or [True])[0]
                yield from self._find(part, element, (*path, index), f"{place}/[]")

    def _members(
        self, schema: Mapping[str, object], value: dict[str, Json], path: Path, place: str
    ) -> Iterator[NearMiss]:
        declared = schema.get("properties", {})
        properties = declared if isinstance(declared, Mapping) else {}
        for name in _list(schema, "required"):
            if name in value:
                yield NearMiss(f"{place} required {name}", (*path, str(name)), REMOVED)
        rest = schema.get("additionalProperties", True)
        if rest is False:
            for name in _STRAY:
                if name not in properties:
                    yield NearMiss(f"{place} additionalProperties", (*path, name), 1)
        for name, member in value.items():
            known = name in properties
            below = f"{place}/{name if known else '*'}"
            yield from self._find(properties[name] if known else rest, member, (*path, name), below)

    def _fits(self, schema: object, value: Json) -> bool:
        judge = self._validators.get(id(schema))
        if judge is None:
            whole = {"allOf": [schema], "definitions": self._root.get("definitions", {})}
            judge = validator(whole)
            if len(self._validators) < MAX_KEPT:
                self._validators[id(schema)] = judge
        return judge.is_valid(value)


def _wrong(schema: Mapping[str, object], value: Json) -> Iterator[tuple[str, Json]]:
    """The keywords that apply to this value, each with a value that violates it."""
    yield from _wrong_kinds(schema, value)
    if isinstance(value, bool):
        return
    if isinstance(value, int | float):
        yield from _wrong_numbers(schema, value)
    elif isinstance(value, str):
        yield from _wrong_texts(schema, value)
    elif isinstance(value, list):
        yield from _wrong_arrays(schema, value)
    elif isinstance(value, dict):
        yield from _wrong_objects(schema, value)


def _wrong_kinds(schema: Mapping[str, object], value: Json) -> Iterator[tuple[str, Json]]:
    declared = schema.get("type", list(_OF_TYPE))
    allowed = declared if isinstance(declared, list) else [declared]
    for kind, wrong in _OF_TYPE.items():
        if kind not in allowed:
            yield f"type ({kind})", wrong
    if "enum" in schema or "const" in schema:
        for wrong in (f"{value}x", f"{value}".swapcase(), f" {value}", ""):
            yield "enum", wrong


def _wrong_numbers(schema: Mapping[str, object], value: int | float) -> Iterator[tuple[str, Json]]:
    for keyword, sign in (("minimum", -1), ("maximum", 1)):
        bound = schema.get(keyword)
        if isinstance(bound, int | float):
            yield keyword, bound + sign
            yield f"{keyword} by far", sign * 10**30
        bound = schema.get(f"exclusive{keyword.capitalize()}")
        if isinstance(bound, int | float):
            yield f"exclusive{keyword.capitalize()}", bound
    step = schema.get("multipleOf")
    if isinstance(step, int | float):
        yield "multipleOf", value + step / 2
    if schema.get("type") == "integer":
        yield "type (fraction)", value + 0.5 if abs(value) < 2**50 else 0.5


def _wrong_texts(schema: Mapping[str, object], value: str) -> Iterator[tuple[str, Json]]:
    least, most = schema.get("minLength"), schema.get("maxLength")
    if isinstance(least, int) and least > 0:
        yield "minLength", value[: least - 1]
    if isinstance(most, int) and most < MAX_LENGTH:
        yield "maxLength", (value or "x") + (value[-1:] or "x") * (most + 1 - len(value))
    if "pattern" in schema:
        # `$` does not match before a final line break, though some engines let it.
        for wrong in (f"{value}\n", f"\n{value}", f" {value}", value.swapcase(), "é" * len(value)):
            yield "pattern", wrong


def _wrong_arrays(schema: Mapping[str, object], value: list[Json]) -> Iterator[tuple[str, Json]]:
    least, most = schema.get("minItems"), schema.get("maxItems")
    if isinstance(least, int) and least > 0:
        yield "minItems", value[: least - 1]
    if isinstance(most, int) and most < MAX_LENGTH and value:
        yield "maxItems", (value * (most // len(value) + 1))[: most + 1]
    if schema.get("uniqueItems") is True and value:
        yield "uniqueItems", [*value, value[0]]


def _wrong_objects(
    schema: Mapping[str, object], value: dict[str, Json]
) -> Iterator[tuple[str, Json]]:
    least, most = schema.get("minProperties"), schema.get("maxProperties")
    if isinstance(least, int) and least > 0:
        yield "minProperties", dict(list(value.items())[: least - 1])
    if isinstance(most, int) and most < MAX_LENGTH:
        more = {f"x{number}": None for number in range(most + 1 - len(value))}
        yield "maxProperties", {**value, **more}


def _replaced(root: Json, path: Path, value: Json) -> Json:
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        elements = list(cast(list[Json], root))
        elements[step] = _replaced(elements[step], rest, value)
        return elements
    members = dict(cast(dict[str, Json], root))
    if not rest and value is REMOVED:
        del members[step]
    else:
        members[step] = _replaced(members.get(step), rest, value)
    return members


def _list(schema: Mapping[str, object], keyword: str) -> list[object]:
    found = schema.get(keyword)
    return found if isinstance(found, list) else []
