"""Schemas that refer to themselves through alternatives, whose faults take bounded time.

A fault of an `anyOf` or `oneOf` is explained by the faults of each alternative. Where alternatives
lead back to it, their number is multiplied with each level of a value: a message of 400 characters
would take seconds. So faults are found by a copy of the schema in which the recursion ends after
some levels; whether a value is valid is decided by the schema itself, which takes no such time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final, cast

from asyncapi_server.validation.faults import Path, SchemaFault, Validator

LEVELS: Final = 2
"""How often a definition may be entered on one way down a value."""
DEEPER: Final = SchemaFault((), (), "a part that is nested deeper fails its schema")
_PREFIX: Final = "#/definitions/"
_ALTERNATIVES: Final = frozenset({"anyOf", "oneOf"})


def unrolled(schema: Mapping[str, object] | bool) -> dict[str, object] | None:
    """A copy of a self-contained schema whose recursion ends after LEVELS; None for one that does
    not lead back to itself through alternatives."""
    definitions = schema.get("definitions") if isinstance(schema, Mapping) else None
    if not isinstance(schema, Mapping) or not isinstance(definitions, Mapping):
        return None
    choosing = [name for name, part in definitions.items() if _ALTERNATIVES & _keywords(part)]
    if not choosing:
        return None
    uses = {name: frozenset(_uses(part)) for name, part in definitions.items()}
    if not any(name in _reached(name, uses) for name in choosing):
        return None
    circular = frozenset(name for name in uses if name in _reached(name, uses))
    copies = {
        _named(name, level): _redirected(part, circular, level + 1)
        for name, part in definitions.items()
        for level in (range(LEVELS) if name in circular else (0,))
    }
    whole = {key: part for key, part in schema.items() if key != "definitions"}
    return {**cast("dict[str, object]", _redirected(whole, circular, 0)), "definitions": copies}


class BoundedValidator:
    """The verdicts of a schema, with the faults of its unrolled copy."""

    def __init__(self, judge: Validator, shallow: Validator) -> None:
        self._shallow = shallow
        self.is_valid = judge.is_valid
        """Whether a value meets the schema."""

    def first(self, value: object) -> SchemaFault | None:
        """One fault of a value; None when it has none."""
        if self.is_valid(value):
            return None
        found = self._shallow.first(value)
        return DEEPER if found is None else _original(found)

    def faults(self, value: object) -> Iterator[SchemaFault]:
        """Every fault of a value that is not nested too deeply."""
        if self.is_valid(value):
            return
        number = 0
        for number, found in enumerate(self._shallow.faults(value), 1):  # noqa: B007
            yield _original(found)
        if not number:
            yield DEEPER


def _uses(part: object) -> Iterator[str]:
    """The definitions that a part of a schema refers to."""
    if isinstance(part, Mapping):
        reference = part.get("$ref")
        if isinstance(reference, str) and reference.startswith(_PREFIX):
            yield reference.removeprefix(_PREFIX)
        for member in part.values():
            yield from _uses(member)
    elif isinstance(part, list):
        for member in part:
            yield from _uses(member)


def _reached(name: str, uses: Mapping[str, frozenset[str]]) -> set[str]:
    """The definitions that one leads to."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        new = uses.get(waiting.pop(), frozenset()) - found
        found |= new
        waiting += new
    return found


def _keywords(part: object) -> frozenset[str]:
    """Every key anywhere in a part of a schema."""
    if isinstance(part, Mapping):
        below = [_keywords(member) for member in part.values()]
        return frozenset(map(str, part)).union(*below)
    if isinstance(part, list):
        return frozenset().union(*map(_keywords, part))
    return frozenset()


def _redirected(part: object, circular: frozenset[str], level: int) -> object:
    """A copy whose references to circular definitions lead to their copies of a level."""
    if isinstance(part, list):
        return [_redirected(member, circular, level) for member in part]
    if not isinstance(part, Mapping):
        return part
    reference = part.get("$ref")
    if isinstance(reference, str) and reference.removeprefix(_PREFIX) in circular:
        if level >= LEVELS:
            return {}
        return {"$ref": _PREFIX + _named(reference.removeprefix(_PREFIX), level)}
    return {key: _redirected(member, circular, level) for key, member in part.items()}


def _named(name: str, level: int) -> str:
    """The name of the copy of a definition at a level."""
    return f"{name}@{level}" if level else name


def _original(fault: SchemaFault) -> SchemaFault:
    """A fault with the places of the schema itself."""
    alternatives = tuple(tuple(map(_original, branch)) for branch in fault.alternatives)
    return replace(fault, schema_path=_unnamed(fault.schema_path), alternatives=alternatives)


def _unnamed(path: Path) -> Path:
    if len(path) < 2 or path[0] != "definitions":
        return path
    name, at, level = str(path[1]).rpartition("@")
    return ("definitions", name, *path[2:]) if at and level.isdigit() else path
