"""Proofs that no value is one of two schemas, as of the alternatives of a choice."""

from __future__ import annotations

from asyncapi_server.diff.schemas.copies import standalone
from asyncapi_server.diff.schemas.schema import Schema
from asyncapi_server.diff.values import canonical

_TYPES = ("array", "boolean", "null", "number", "object", "string")


def are_apart(one: Schema, two: Schema) -> bool:
    """Whether it is proven that two schemas have no value in common."""
    one, two = one.target, two.target
    if not any(may_be(one, kind) and may_be(two, kind) for kind in _TYPES):
        return True
    if _is_object(one) or _is_object(two):
        mine, theirs = one.named("properties"), two.named("properties")
        names = _required(one) & _required(two) & mine.keys() & theirs.keys()
        if any(_have_other_constants(mine[name], theirs[name]) for name in names):
            return True
    small, large = standalone(one), standalone(two)
    if small is None or large is None:
        return False
    return one.context.proofs.within(small, f'{{"not": {large}}}')


def may_be(schema: Schema, kind: str) -> bool:
    """Whether values of a schema may be of a type of JSON, where integers are numbers."""
    declared = schema.asserted.get("type", kind)
    types = declared if isinstance(declared, list) else [declared]
    return kind in types or (kind == "number" and "integer" in types)


def _is_object(schema: Schema) -> bool:
    """Whether all values of a schema are objects."""
    return schema.asserted.get("type") in ("object", ["object"])


def _required(schema: Schema) -> set[str]:
    required = schema.asserted.get("required")
    return set(map(str, required)) if isinstance(required, list) else set()


def _have_other_constants(one: Schema, two: Schema) -> bool:
    """Whether both schemas list their values, and none is listed by both."""
    mine, theirs = _constants(one), _constants(two)
    return mine is not None and theirs is not None and mine.isdisjoint(theirs)


def _constants(schema: Schema) -> set[str] | None:
    """The values of a schema that lists them, where all of them are scalars."""
    asserted = schema.target.asserted
    listed = [asserted["const"]] if "const" in asserted else asserted.get("enum")
    if not isinstance(listed, list) or any(isinstance(each, dict | list) for each in listed):
        return None
    return {canonical(_plain(each)) for each in listed}


def _plain(value: object) -> object:
    """The value, a whole number as an integer: 1.0 is 1 in JSON Schema."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
