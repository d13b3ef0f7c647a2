"""The demands of a schema on every valid message, by place.

One of a few constants (`const`, `enum`), or one of a few types.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from asyncapi_server import pointer as jsonpointer
from asyncapi_server.jsontext import json_type

Scalar = str | int | float | bool | None

MAX_SCHEMA_DEPTH = 8
"""The depth below the message's root to which constants are searched."""
MAX_SCHEMA_PLACES = 5_000
"""A schema that refers to itself has more places than could be searched: so many are."""

_TYPES = frozenset({"array", "boolean", "null", "number", "object", "string"})


@dataclass(frozen=True, slots=True)
class Demand:
    """The demand of a schema on the value at one place.

    `values` are the constants that it may be (None: any); `types` the JSON types that it may
    have; `required` says whether a valid message always has the place.
    """

    values: tuple[Scalar, ...] | None
    types: frozenset[str]
    required: bool

    def disjoint(self, other: Demand) -> bool:
        """True when no value at the place can meet both."""
        if self.values is not None and other.values is not None:
            return not {tag(v) for v in self.values} & {tag(v) for v in other.values}
        return not self.types & other.types

    def met_by(self, value: object) -> bool:
        """True when the value at the place may be of this message."""
        if value is jsonpointer.MISSING:
            return not self.required
        if self.values is not None:
            return tag(value) in {tag(v) for v in self.values}
        return json_type(value) in self.types


Signature = Mapping[str, Demand]
"""The demands of one message by JSON pointer."""


def tag(value: object) -> tuple[str, object]:
    """A key under which JSON equality holds: true is not 1, but 1.0 is."""
    kind = json_type(value)
    return kind, repr(value) if kind in ("object", "array") else value


def signature(schema: Mapping[str, object]) -> dict[str, Demand]:
    """The demands of a self-contained schema (see `schemas.bundle`), by JSON pointer."""
    found: dict[str, Demand] = {}
    for depth in range(MAX_SCHEMA_DEPTH + 1):
        try:
            deeper = _SchemaReader(schema).demands(schema, "", depth, frozenset())
        except _TooMany:
            break
        if deeper == found:
            break
        found = deeper
    return {
        pointer: demand
        for pointer, demand in sorted(found.items(), key=lambda item: depth_first(item[0]))
        if demand.values is not None or demand.types != _TYPES
    }


def depth_first(pointer: str) -> tuple[int, str]:
    return pointer.count("/"), pointer


class _TooMany(Exception):
    """There are more places to search than MAX_SCHEMA_PLACES."""


class _SchemaReader:
    """Walks a schema; the demands at "" are always present and required."""

    def __init__(self, schema: Mapping[str, object]) -> None:
        definitions = schema.get("definitions")
        self.definitions = definitions if isinstance(definitions, dict) else {}
        self.left = MAX_SCHEMA_PLACES

    def demands(
        self, schema: object, pointer: str, depth: int, seen: frozenset[str]
    ) -> dict[str, Demand]:
        """The demands at `pointer` and up to `depth` below; raises _TooMany."""
        if not isinstance(schema, Mapping):
            return {}
        self.left -= 1
        if self.left < 0:
            raise _TooMany
        reference = schema.get("$ref")
        if isinstance(reference, str):
            name = reference.rpartition("/")[2]
            if name in seen:
                return {}
            return self.demands(self.definitions.get(name), pointer, depth, seen | {name})
        result = {pointer: _own(schema)}
        if depth > 0:
            for token, member, required in _members(schema):
                result |= self._below(member, jsonpointer.child(pointer, token), depth, required)
        for part in _list(schema, "allOf"):
            result = _both(result, self.demands(part, pointer, depth, seen))
        for keyword in ("oneOf", "anyOf"):
            parts = [self.demands(p, pointer, depth, seen) for p in _list(schema, keyword)]
            if parts:
                result = _both(result, _either(parts))
        return result

    def _below(self, member: object, root: str, depth: int, required: bool) -> dict[str, Demand]:
        """The demands of a member of a value that has it only if it is `required`."""
        below = self.demands(member, root, depth - 1, frozenset())
        below.setdefault(root, Demand(None, _TYPES, required=True))
        return {
            place: Demand(demand.values, demand.types, demand.required and required)
            for place, demand in below.items()
        }


def _own(schema: Mapping[str, object]) -> Demand:
    """The demand of a schema's own keywords on its own value."""
    declared = schema.get("type", sorted(_TYPES))
    names = declared if isinstance(declared, list) else [declared]
    types = frozenset("number" if n == "integer" else str(n) for n in names) & _TYPES
    constants: Sequence[object] | None = None
    if "const" in schema:
        constants = [schema["const"]]
    elif isinstance(enum := schema.get("enum"), list):
        constants = enum
    if constants is None:
        return Demand(None, types, required=True)
    scalars = tuple(v for v in constants if v is None or isinstance(v, str | int | float | bool))
    types = frozenset(json_type(v) for v in constants)
    return Demand(scalars if len(scalars) == len(constants) else None, types, required=True)


def _members(schema: Mapping[str, object]) -> Iterable[tuple[str, object, bool]]:
    """The named and numbered members of a schema, and whether each is required."""
    properties = schema.get("properties")
    required = schema.get("required")
    must = set(required) if isinstance(required, list) else set()
    known = properties if isinstance(properties, dict) else {}
    for name, member in known.items():
        yield name, member, name in must
    for name in sorted(must - set(known)):
        yield name, {}, True
    items = schema.get("items")
    least = schema.get("minItems", 0)
    if isinstance(items, list):
        for index, member in enumerate(items):
            yield str(index), member, isinstance(least, int) and index < least


def _list(schema: Mapping[str, object], keyword: str) -> list[object]:
    found = schema.get(keyword)
    return found if isinstance(found, list) else []


def _both(one: dict[str, Demand], two: dict[str, Demand]) -> dict[str, Demand]:
    """The demands of a value that has to meet both."""
    result = dict(one)
    for place, demand in two.items():
        mine = result.get(place)
        if mine is None:
            result[place] = demand
            continue
        values = demand.values if mine.values is None else mine.values
        if mine.values is not None and demand.values is not None:
            allowed = {tag(v) for v in demand.values}
            values = tuple(v for v in mine.values if tag(v) in allowed)
        result[place] = Demand(values, mine.types & demand.types, mine.required or demand.required)
    return result


def _either(parts: Sequence[dict[str, Demand]]) -> dict[str, Demand]:
    """The demands of a value that meets at least one of the parts."""
    result: dict[str, Demand] = {}
    for place in set.intersection(*(set(part) for part in parts)):
        demands = [part[place] for part in parts]
        values: tuple[Scalar, ...] | None = None
        if all(demand.values is not None for demand in demands):
            merged = itertools.chain.from_iterable(d.values or () for d in demands)
            values = tuple({tag(v): v for v in merged}.values())
        result[place] = Demand(
            values,
            frozenset().union(*(demand.types for demand in demands)),
            all(demand.required for demand in demands),
        )
    return result
