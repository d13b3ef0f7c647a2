"""Reading schemas as shapes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from asyncapi_server.generate.keywords import (
    MAX_CHAIN,
    SHAPING,
    Schema,
    Scope,
    items,
    mapping,
    merged,
    reference,
)
from asyncapi_server.generate.naming import Names, pascal
from asyncapi_server.generate.scalars import constant, scalar
from asyncapi_server.generate.shapes import (
    ANYTHING,
    Array,
    Definition,
    Dictionary,
    Kind,
    Member,
    Named,
    Object,
    Shape,
    Tuple,
    choice,
)

MAX_SHAPES = 50_000
"""Shapes of one document; what is beyond may be anything."""
_SCALARS: Mapping[object, Kind] = {
    "string": "string", "integer": "integer", "number": "number", "boolean": "boolean",
    "null": "null",
}  # fmt: skip


class Reader:
    """Reads self-contained schemas; what several of them define alike is defined once."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self.definitions: dict[str, Definition] = {}
        self._known: dict[object, str] = {}
        """The name of each definition, by what it means."""
        self._open: set[str] = set()
        """The definitions that are being read, and are no objects."""
        self._waiting: deque[_Pending] = deque()
        self._left = MAX_SHAPES

    def read(self, schemas: Mapping[str, Schema]) -> None:
        """Define each schema by its name, which has been claimed, and all that it needs."""
        scopes = {name: Scope(schema) for name, schema in schemas.items()}
        for name, scope in scopes.items():
            if _is_object(scope.keywords(scope.top)):
                self._known.setdefault(scope.meaning(), name)
        for name, scope in scopes.items():
            self._define(name, scope.top, scope)
        self._finish()

    def value(self, schema: Schema) -> Shape:
        """The shape of a value that has no definition."""
        scope = Scope(schema)
        shape = self._shape(scope.top, "Value", scope, MAX_CHAIN)
        self._finish()
        return shape

    def members(self, schema: Schema) -> Object:
        """The members of an object that has no definition."""
        scope = Scope(schema)
        members = tuple(self._members("", scope.keywords(scope.top), scope))
        self._finish()
        return Object(members)

    def _finish(self) -> None:
        """Read the members of the objects that were found."""
        while self._waiting:
            self._complete(*self._waiting.popleft())

    def _define(self, name: str, schema: object, scope: Scope, chain: int = MAX_CHAIN) -> None:
        found = scope.keywords(schema)
        if _is_object(found):
            self._object(name, found, scope)
            return
        self._open.add(name)
        shape = self._shape(schema, name, scope, chain)
        self._open.discard(name)
        self.definitions[name] = Definition(name, shape, _description(schema))

    def _object(self, name: str, found: Schema, scope: Scope) -> Named:
        """Define an object whose members are read later."""
        self.definitions[name] = Definition(name, Object(()), _description(found))
        self._waiting.append(_Pending(name, found, scope))
        return Named(name)

    def _complete(self, name: str, found: Schema, scope: Scope) -> None:
        is_closed = found.get("additionalProperties") is False
        members = tuple(self._members(name, found, scope))
        shape = Object(members, is_closed and "patternProperties" not in found)
        self.definitions[name] = Definition(name, shape, self.definitions[name].description)

    def _members(self, owner: str, found: Schema, scope: Scope) -> Iterator[Member]:
        properties = mapping(found, "properties")
        required = [name for name in items(found, "required") if isinstance(name, str)]
        rest = found.get("additionalProperties", True)
        for name in dict.fromkeys((*properties, *required)):
            schema = properties.get(name, rest)
            if schema is not False:
                shape = self._shape(schema, owner + pascal(name, "Member"), scope, MAX_CHAIN)
                yield Member(name, shape, name in required, _description(schema))

    def _shape(self, schema: object, name: str, scope: Scope, chain: int) -> Shape:
        """The shape of a schema; `name` is for an object that has none."""
        self._left -= 1
        if not isinstance(schema, Mapping) or chain < 0 or self._left < 0:
            return ANYTHING
        target = reference(schema)
        if target is not None:
            return self._referred(target, scope, chain - 1)
        found = scope.keywords(schema)
        for keyword in ("oneOf", "anyOf"):
            if parts := items(found, keyword):
                rest = {key: value for key, value in found.items() if key != keyword}
                return self._choice(rest, parts, name, scope, chain - 1)
        constants = [found["const"]] if "const" in found else found.get("enum")
        if isinstance(constants, list):
            return choice(map(constant, constants))
        return choice(self._typed(found, kind, name, scope, chain) for kind in _types(found))

    def _referred(self, target: str, scope: Scope, chain: int) -> Shape:
        if target not in scope.definitions:
            return ANYTHING
        meaning = scope.meaning(target)
        name = self._known.get(meaning) or self._known.get((target, meaning))
        if name is None:
            name = self._names.claim(pascal(target, "Value"))
            self._known[target, meaning] = name
        if name in self._open:
            return ANYTHING
        if name not in self.definitions:
            self._define(name, scope.definitions[target], scope, chain)
        return Named(name)

    def _choice(
        self, rest: Schema, parts: list[object], name: str, scope: Scope, chain: int
    ) -> Shape:
        """Alternatives, each of which has to meet the rest too."""
        if SHAPING & rest.keys() - {"type"}:
            parts = [merged(scope.keywords(part), rest) for part in parts]
        is_alone = sum(part != {"type": "null"} for part in parts) == 1
        return choice(
            self._shape(part, name if is_alone else f"{name}{_title(part) or number}", scope, chain)
            for number, part in enumerate(parts, 1)
        )

    def _typed(self, found: Schema, kind: object, name: str, scope: Scope, chain: int) -> Shape:
        if kind == "object":
            if _has_members(found):
                return self._object(
                    self._names.claim(name, f"{name}Object"), {**found, "type": "object"}, scope
                )
            values = found.get("additionalProperties")
            return Dictionary(self._shape(values, f"{name}Value", scope, chain - 1))
        if kind == "array":
            return self._array(found, f"{name}Item", scope, chain - 1)
        plain = _SCALARS.get(kind)
        return ANYTHING if plain is None else scalar(plain, found)

    def _array(self, found: Schema, name: str, scope: Scope, chain: int) -> Shape:
        each = found.get("items")
        if not isinstance(each, list):
            return Array(self._shape(each, name, scope, chain))
        parts = tuple(
            self._shape(part, f"{name}{number}", scope, chain)
            for number, part in enumerate(each, 1)
        )
        least, most = found.get("minItems", 0), found.get("maxItems")
        rest = found.get("additionalItems", True)
        is_ended = rest is False or (isinstance(most, int) and most <= len(parts))
        return Tuple(
            parts,
            min(int(least), len(parts)) if isinstance(least, int | float) else 0,
            None if is_ended else self._shape(rest, f"{name}Rest", scope, chain),
        )


class _Pending(NamedTuple):
    """An object whose members are not read yet."""

    name: str
    found: Schema
    scope: Scope


def _is_object(found: Schema) -> bool:
    """Whether the keywords are those of one object whose members have names."""
    if found.keys() & {"anyOf", "const", "enum", "oneOf"}:
        return False
    return _has_members(found) and list(_types(found)) == ["object"]


def _has_members(found: Schema) -> bool:
    return bool(mapping(found, "properties") or items(found, "required"))


def _types(found: Schema) -> Iterator[object]:
    """The types of a value; those that a schema without one is about."""
    declared = found.get("type")
    if declared is not None:
        yield from declared if isinstance(declared, list) else [declared]
    elif found.keys() & {"additionalProperties", "properties", "required"}:
        yield "object"
    elif "items" in found:
        yield "array"


def _title(part: object) -> str:
    title = part.get("title") if isinstance(part, Mapping) else None
    return pascal(title, "") if isinstance(title, str) else ""


def _description(schema: object) -> str:
    found = schema.get("description") if isinstance(schema, Mapping) else None
    return found if isinstance(found, str) else ""
