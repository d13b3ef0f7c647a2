"""The number of schemas that are tried for one value, without its members.

References make it grow twofold with each definition (an `allOf` that names the next one twice), or
without end (an `allOf` that names its own), which JSON Schema forbids. Engines try them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Final

from asyncapi_server.validation.faults import CannotValidate

MAX_COST: Final = 20_000
"""Schemas that are tried for one value: all of them take a second of either engine."""
_PREFIX: Final = "#/definitions/"
_SAME_VALUE: Final = frozenset({"allOf", "anyOf", "dependencies", "else", "if", "not", "oneOf",
                                "then"})  # fmt: skip
_MEMBERS: Final = frozenset({"additionalItems", "additionalProperties", "contains", "items",
                             "patternProperties", "properties", "propertyNames"})  # fmt: skip
_NAMED: Final = frozenset({"dependencies", "patternProperties", "properties"})


def check_cost(schema: Mapping[str, object] | bool) -> None:
    """Raise ValueError for a self-contained schema that leads back to itself without a level in
    between, and CannotValidate for one that costs more than MAX_COST."""
    definitions = schema.get("definitions") if isinstance(schema, Mapping) else None
    known = definitions if isinstance(definitions, Mapping) else {}
    uses = {name: list(_references(part)) for name, part in known.items()}
    try:
        order = tuple(TopologicalSorter(uses).static_order())
    except CycleError as error:
        names = " -> ".join(error.args[1])
        text = f"the schema leads back to itself without a level in between: {names}"
        raise ValueError(text) from None
    costs: dict[str, int] = {}
    for name in order:
        costs[name] = _cost(known.get(name), costs)
    starts = (start for part in (schema, *known.values()) for start in _starts(part))
    if max((_cost(start, costs) for start in starts), default=0) > MAX_COST:
        raise CannotValidate(f"more than {MAX_COST} schemas would have to be tried for one value")


def _cost(part: object, costs: Mapping[str, int]) -> int:
    """The cost of a part of a schema, by those of the definitions that it refers to."""
    if not isinstance(part, Mapping):
        return 1
    if "$ref" in part:
        return 1 + costs.get(_definition(part["$ref"]), 0)
    return 1 + sum(_cost(each, costs) for each in _below(part, _SAME_VALUE))


def _references(part: object) -> Iterator[str]:
    """The definitions that a part refers to for the same value."""
    if isinstance(part, Mapping):
        if "$ref" in part:
            yield _definition(part["$ref"])
        else:
            for each in _below(part, _SAME_VALUE):
                yield from _references(each)


def _starts(part: object) -> Iterator[object]:
    """A part, and the schemas in it that apply to members at any level."""
    yield part
    yield from _inner(part)


def _inner(part: object) -> Iterator[object]:
    for each in _below(part, _SAME_VALUE):
        yield from _inner(each)
    for each in _below(part, _MEMBERS):
        yield from _starts(each)


def _below(part: object, keywords: frozenset[str]) -> Iterator[object]:
    """The schemas that a schema has below these keywords."""
    if not isinstance(part, Mapping) or "$ref" in part:
        return
    for keyword in keywords & part.keys():
        member = part[keyword]
        if isinstance(member, list):
            yield from member
        elif keyword in _NAMED and isinstance(member, Mapping):
            yield from member.values()
        else:
            yield member


def _definition(reference: object) -> str:
    return str(reference).removeprefix(_PREFIX)
