"""Proofs that one schema accepts all values of another, also of schemas that contain themselves.

The engine decides on schemas whose references have an end. It cannot follow recursion, so others
are taken apart, as are large ones: a schema is within another one when it is within each of the
parts of that one.
"""

from __future__ import annotations

from collections.abc import Sequence

from asyncapi_server.diff.schemas.apart import are_apart, may_be
from asyncapi_server.diff.schemas.copies import size, standalone
from asyncapi_server.diff.schemas.equality import same
from asyncapi_server.diff.schemas.pairs import Pairs
from asyncapi_server.diff.schemas.schema import Schema
from asyncapi_server.diff.schemas.vocabulary import SIMPLE

MAX_SMALL = 100
"""Schemas up to which the engine is asked first: it is slow in what it cannot prove."""
_PROPERTIES = frozenset({"additionalProperties", "patternProperties", "properties"})
_ITEMS = frozenset({"items", "prefixItems"})
_CHOICES = frozenset({"allOf", "anyOf", "oneOf"})
_TOGETHER = (
    {"dependentRequired"},
    {"dependentSchemas"},
    {"propertyNames"},
    {"contains", "maxContains", "minContains"},
    {"not"},
    {"else", "if", "then"},
)
"""Other keywords, in groups of which each demands something by itself."""
_KNOWN = frozenset({*SIMPLE, *_PROPERTIES, *_ITEMS, *_CHOICES}.union(*_TOGETHER))


def within(one: Schema, other: Schema) -> bool:
    """Whether it is proven that every value of `one` is a value of `other`."""
    return _within(one, other, 0) or (not _are_small(one, other) and _by_engine(one, other))


def _within(one: Schema, other: Schema, depth: int) -> bool:
    """The same of schemas that apply at a depth of a value, which others describe."""
    one.context.step()
    one, other = one.target, other.target
    if same(one, other):
        return True
    if other.is_dynamic:
        return False
    if not other.keywords.asserted or (_are_small(one, other) and _by_engine(one, other)):
        return True
    pairs: Pairs = one.context.memory.setdefault(within, Pairs())
    return pairs.holds(one, other, lambda: _by_parts(one, other, depth), depth)


def _are_small(one: Schema, other: Schema) -> bool:
    sizes = size(one), size(other)
    return None not in sizes and sum(each or 0 for each in sizes) <= MAX_SMALL


def _by_engine(one: Schema, other: Schema) -> bool:
    small, large = standalone(one), standalone(other)
    return small is not None and large is not None and one.context.proofs.within(small, large)


def _by_parts(one: Schema, other: Schema, depth: int) -> bool:
    for choice in ("anyOf", "oneOf"):
        alternatives = one.listed(choice)
        if alternatives and all(_within(each, other, depth) for each in alternatives):
            return True
    if any(_within(part, other, depth) for part in one.listed("allOf")):
        return True
    return (
        other.keywords.asserted.keys() <= _KNOWN
        and _by_engine(one.only(SIMPLE), other.only(SIMPLE))
        and all(_within(one, part, depth) for part in other.listed("allOf"))
        and _any_of(one, other.listed("anyOf"), depth)
        and _one_of(one, other, depth)
        and (not may_be(one, "object") or _properties(one, other, depth))
        and (not may_be(one, "array") or _items(one, other, depth))
        and all(_group(one, other, names, depth) for names in _TOGETHER)
    )


def _any_of(one: Schema, ways: Sequence[Schema], depth: int) -> bool:
    """The schema has to be within one alternative, or each of its own within any."""
    if not ways or any(_within(one, way, depth) for way in ways):
        return True
    return any(
        alternatives
        and all(
            any(_within(each, way, depth) for way in (*ways[number : number + 1], *ways))
            for number, each in enumerate(alternatives)
        )
        for alternatives in (one.listed("anyOf"), one.listed("oneOf"))
    )


def _one_of(one: Schema, other: Schema, depth: int) -> bool:
    """The schema has to be within one alternative, and apart from all others."""
    ways = other.listed("oneOf")
    if not ways or same(one.only({"oneOf"}), other.only({"oneOf"})):
        return True
    return any(
        all(way is chosen or are_apart(one, way) for way in ways) and _within(one, chosen, depth)
        for chosen in ways
    )


def _group(one: Schema, other: Schema, names: set[str], depth: int) -> bool:
    narrow, wide = one.only(names), other.only(names)
    if narrow.key == one.key and wide.key == other.key:
        return False  # it has been examined
    return not wide.keywords.asserted or _within(narrow, wide, depth)


def _properties(one: Schema, other: Schema, depth: int) -> bool:
    """The keywords for members of objects: each demand of `other` by one of `one` that applies."""
    if _PROPERTIES.isdisjoint(other.keywords.asserted):
        return True
    mine, theirs = one.named("properties"), other.named("properties")
    patterns, others = one.named("patternProperties"), other.named("patternProperties")
    rest, left = one.one("additionalProperties"), other.one("additionalProperties")
    unlisted = [*patterns.values(), rest]  # of which one applies to a name that is not listed
    demands = [
        *((each, [mine[name]] if name in mine else unlisted) for name, each in theirs.items()),
        *(
            (each, [patterns[key]] if key in patterns else [*mine.values(), *unlisted])
            for key, each in others.items()
        ),
        (left, [mine[name] for name in mine if name not in theirs]),
        (left, [patterns[key] for key in patterns if key not in others]),
        (left, [rest]),
    ]
    return all(_within(each, demand, depth + 1) for demand, applied in demands for each in applied)


def _items(one: Schema, other: Schema, depth: int) -> bool:
    """The keywords for elements of arrays."""
    if _ITEMS.isdisjoint(other.keywords.asserted):
        return True
    mine, theirs = one.listed("prefixItems"), other.listed("prefixItems")
    rest, left = one.one("items"), other.one("items")
    return all(
        _within(
            mine[index] if index < len(mine) else rest,
            theirs[index] if index < len(theirs) else left,
            depth + 1,
        )
        for index in range(max(len(mine), len(theirs)))
    ) and _within(rest, left, depth + 1)
