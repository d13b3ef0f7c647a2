"""Identification of messages by the constants that their schemas demand.

For each schema we compute what every valid message must contain at certain places: one of a few
constants (`const`, `enum`), or one of a few types. Two messages can be distinguished when their
demands exclude each other at some place.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from asyncapi_server import pointer as jsonpointer

Scalar = str | int | float | bool | None

MAX_SCHEMA_DEPTH = 8
"""The depth below the message's root to which constants are searched."""

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

    def excludes(self, other: Demand) -> bool:
        """True when no message can meet both: they are disjoint, and at least one is required."""
        return (self.required or other.required) and self.disjoint(other)

    def disjoint(self, other: Demand) -> bool:
        """True when no value at the place can meet both."""
        if self.values is not None and other.values is not None:
            return not {_tag(v) for v in self.values} & {_tag(v) for v in other.values}
        return not self.types & other.types

    def met_by(self, value: object) -> bool:
        """True when the value at the place may be of this message."""
        if value is jsonpointer.MISSING:
            return not self.required
        if self.values is not None:
            return _tag(value) in {_tag(v) for v in self.values}
        return json_type(value) in self.types


Signature = Mapping[str, Demand]
"""The demands of one message by JSON pointer."""


def json_type(value: object) -> str:
    """The JSON type of a decoded value; integers are numbers."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, dict):
        return "object"
    return "array" if isinstance(value, list) else "number"


def _tag(value: object) -> tuple[str, object]:
    """A key under which JSON equality holds: true is not 1, but 1.0 is."""
    kind = json_type(value)
    return kind, repr(value) if kind in ("object", "array") else value


def signature(schema: Mapping[str, object]) -> dict[str, Demand]:
    """The demands of a self-contained schema (see `schemas.bundle`), by JSON pointer."""
    definitions = schema.get("definitions")
    reader = _SchemaReader(definitions if isinstance(definitions, dict) else {})
    found = reader.demands(schema, "", MAX_SCHEMA_DEPTH, frozenset())
    return {
        pointer: demand
        for pointer, demand in sorted(found.items(), key=lambda item: _depth_first(item[0]))
        if demand.values is not None or demand.types != _TYPES
    }


def _depth_first(pointer: str) -> tuple[int, str]:
    return pointer.count("/"), pointer


class _SchemaReader:
    """Walks a schema; the demands at "" are always present and required."""

    def __init__(self, definitions: Mapping[str, object]) -> None:
        self.definitions = definitions

    def demands(
        self, schema: object, pointer: str, depth: int, seen: frozenset[str]
    ) -> dict[str, Demand]:
        if not isinstance(schema, Mapping):
            return {}
        reference = schema.get("$ref")
        if isinstance(reference, str):
            name = reference.rpartition("/")[2]
            if name in seen:
                return {}
            return self.demands(self.definitions.get(name), pointer, depth, seen | {name})
        result = {pointer: _own(schema)}
        if depth > 0:
            for token, member, required in _members(schema):
                below = self.demands(
                    member, jsonpointer.child(pointer, token), depth - 1, frozenset()
                )
                root = jsonpointer.child(pointer, token)
                below.setdefault(root, Demand(None, _TYPES, required=True))
                for place, demand in below.items():
                    held = demand.required and required
                    result[place] = Demand(demand.values, demand.types, held)
        for part in _list(schema, "allOf"):
            result = _both(result, self.demands(part, pointer, depth, seen))
        for keyword in ("oneOf", "anyOf"):
            parts = [self.demands(p, pointer, depth, seen) for p in _list(schema, keyword)]
            if parts:
                result = _both(result, _either(parts))
        return result


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
            allowed = {_tag(v) for v in demand.values}
            values = tuple(v for v in mine.values if _tag(v) in allowed)
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
            values = tuple({_tag(v): v for v in merged}.values())
        result[place] = Demand(
            values,
            frozenset().union(*(demand.types for demand in demands)),
            all(demand.required for demand in demands),
        )
    return result


class Discriminator:
    """Identifies the message that a value may be, by as few places as are needed."""

    def __init__(self, signatures: Mapping[str, Signature]) -> None:
        self._signatures = dict(signatures)
        self.names = tuple(self._signatures)
        self.overlaps = tuple(
            (one, two)
            for one, two in itertools.combinations(self.names, 2)
            if not _exclude(self._signatures[one], self._signatures[two])
        )
        self.pointers = self._choose()
        self._paths = tuple((p, jsonpointer.tokens(p)) for p in self.pointers)
        self._key, self._table = self._fast_table()

    def identify(self, value: object) -> tuple[str, ...]:
        """The messages that `value` may be, in the document's order; () when none.

        Those recognised by a constant stay when a later place excludes all that are left: the
        value is then one of them, with a fault that its schema reports.
        """
        if self._table is not None and isinstance(value, dict):
            constant = value.get(self._key)
            if isinstance(constant, str):
                return self._table.get(constant, ())
        names = self.names
        recognised: set[str] = set()
        for pointer, path in self._paths:
            found = jsonpointer.lookup(value, path)
            left = []
            for name in names:
                demand = self._signatures[name].get(pointer)
                if demand is None or demand.met_by(found):
                    left.append(name)
                    if demand is not None and demand.values is not None and demand.required:
                        recognised.add(name)
            if not left:
                return tuple(name for name in names if name in recognised)
            names = tuple(left)
        return names

    def constants(self, name: str) -> dict[str, Demand]:
        """The demands that identify this message, by JSON pointer."""
        own = self._signatures[name]
        return {pointer: own[pointer] for pointer in self.pointers if pointer in own}

    def optional(self, one: str, two: str) -> str | None:
        """A place that would distinguish two messages if it were required; None without one."""
        mine, theirs = self._signatures[one], self._signatures[two]
        places = (p for p in mine if p in theirs and mine[p].disjoint(theirs[p]))
        return next(places, None)

    def _choose(self) -> tuple[str, ...]:
        """The places that distinguish all pairs, chosen greedily: most pairs, then shallowest."""
        apart: dict[str, set[tuple[str, str]]] = {}
        for one, two in itertools.combinations(self.names, 2):
            mine, theirs = self._signatures[one], self._signatures[two]
            for pointer in mine.keys() & theirs.keys():
                # An optional constant does not exclude, but helps wherever it is present.
                if mine[pointer].disjoint(theirs[pointer]):
                    apart.setdefault(pointer, set()).add((one, two))
        open_pairs = set().union(*apart.values()) if apart else set()
        chosen: list[str] = []
        while open_pairs:
            best = min(apart, key=lambda p: (-len(apart[p] & open_pairs), *_depth_first(p)))
            chosen.append(best)
            open_pairs -= apart[best]
        if not chosen:
            # There is nothing to distinguish, but a wrong constant still is an unknown message.
            constants = (
                pointer
                for sig in self._signatures.values()
                for pointer, demand in sig.items()
                if demand.values is not None and demand.required
            )
            chosen = sorted(set(constants), key=_depth_first)[:1]
        return tuple(chosen)

    def _fast_table(self) -> tuple[str, dict[str, tuple[str, ...]] | None]:
        """A plain lookup for the usual case: one required text constant of the root object."""
        if len(self.pointers) != 1 or len(path := jsonpointer.tokens(self.pointers[0])) != 1:
            return "", None
        table: dict[str, tuple[str, ...]] = {}
        for name, sig in self._signatures.items():
            demand = sig.get(self.pointers[0])
            if demand is None or demand.values is None or not demand.required:
                return "", None
            for value in demand.values:
                if not isinstance(value, str):
                    return "", None
                table[value] = (*table.get(value, ()), name)
        return path[0], table


def _exclude(one: Signature, two: Signature) -> bool:
    return any(one[place].excludes(two[place]) for place in one.keys() & two.keys())
