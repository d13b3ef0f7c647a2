"""The differences of two schemas, place by place."""

from __future__ import annotations

from collections.abc import Iterator

from asyncapi_server.diff.changes import EVERYONE, Level
from asyncapi_server.diff.schemas.containment import within
from asyncapi_server.diff.schemas.differences import (
    Difference,
    beside,
    unmodelled,
    unvalidated,
)
from asyncapi_server.diff.schemas.effects import Effect, effect
from asyncapi_server.diff.schemas.equality import same, signature
from asyncapi_server.diff.schemas.facts import PROPERTY, facts
from asyncapi_server.diff.schemas.schema import Key, Schema
from asyncapi_server.diff.schemas.steps import step
from asyncapi_server.diff.values import equal

CHOICES = ("allOf", "anyOf", "oneOf")
_GROUPS = (
    ("type", "enum", "const"),
    ("minimum", "exclusiveMinimum"),
    ("maximum", "exclusiveMaximum"),
    ("multipleOf",),
    ("minLength",),
    ("maxLength",),
    ("pattern",),
    ("required",),
    ("minProperties",),
    ("maxProperties",),
    ("patternProperties", "propertyNames", "dependentRequired", "dependentSchemas"),
    ("minItems",),
    ("maxItems",),
    ("uniqueItems",),
    ("contains", "minContains", "maxContains"),
    ("not", "if", "then", "else"),
    ("unevaluatedItems",),
    ("unevaluatedProperties",),
)
"""Keywords that have a meaning only together."""
_ITEMS = ("prefixItems", "items")


class Walk:
    """The walk through two schemas; a pair that was met before is passed over."""

    def __init__(self) -> None:
        self._seen: dict[tuple[Key, Key], tuple[Schema, Schema]] = {}

    def walk(self, old: Schema, new: Schema, path: str) -> Iterator[Difference]:
        """The differences at a path and below it."""
        if same(old, new):
            return
        if not equal(old.beside, new.beside):
            yield beside(old, new, path)
        if old.is_reference and new.is_reference:
            if (old.key, new.key) in self._seen:
                yield from unvalidated(old.overlay, new.overlay, new.node, path)
                return
            self._seen[old.key, new.key] = old, new
        if old.is_bool or new.is_bool or _choices(old) != _choices(new):
            yield from _whole(old, new, path)
            return
        for keyword in CHOICES:
            for number, one, two in _paired(old, new, keyword):
                below = path if keyword == "allOf" else f"{path} ({keyword} {number})"
                yield from self.walk(one, two, below)
        for group in _GROUPS:
            yield from _group(old.only(group), new.only(group), path)
        yield from self._properties(old, new, path)
        yield from self._items(old, new, path)
        yield from unvalidated(old.keywords.others, new.keywords.others, new.end, path)

    def _properties(self, old: Schema, new: Schema, path: str) -> Iterator[Difference]:
        mine, theirs = old.named("properties"), new.named("properties")
        one, two = (schema.one("additionalProperties") for schema in (old, new))
        for name in dict.fromkeys((*mine, *theirs)):
            where = f"{path}/{name}"
            if name not in theirs:
                yield Difference(
                    where,
                    "the property is gone",
                    Effect.OTHER,
                    new.end,
                    fixed=EVERYONE,
                    why="clients that send it are refused or passed over, "
                    "clients that read it do not find it",
                )
            elif name not in mine:
                below = theirs[name]
                yield Difference(where, "the property is new", effect(one, below), below.node)
            else:
                yield from self.walk(mine[name], theirs[name], where)
        yield from self.walk(one, two, f"{path}/*")

    def _items(self, old: Schema, new: Schema, path: str) -> Iterator[Difference]:
        mine, theirs = old.listed("prefixItems"), new.listed("prefixItems")
        if len(mine) != len(theirs):
            yield from _group(old.only(_ITEMS), new.only(_ITEMS), path)
            return
        for index, (one, two) in enumerate(zip(mine, theirs, strict=True)):
            yield from self.walk(one, two, f"{path}/[{index}]")
        rest = "[*]" if mine else "[]"
        yield from self.walk(old.one("items"), new.one("items"), f"{path}/{rest}")


def _group(old: Schema, new: Schema, path: str) -> Iterator[Difference]:
    """The differences of keywords that belong together."""
    if same(old, new):
        return
    found = effect(old, new)
    # Documents ask clients to ignore unknown fields, never values.
    surprise = "clients may get a value that they do not know" if "enum" in old.asserted else ""
    yield Difference(
        path,
        step(old.asserted, new.asserted),
        found,
        new.end,
        why=surprise * (found is Effect.WIDER),
        otherwise=Level.WORDS if found is Effect.SAME else Level.COMPATIBLE,
    )
    yield from _beyond(old, new, found, path)


def _whole(old: Schema, new: Schema, path: str) -> Iterator[Difference]:
    """The differences of two schemas of different form, such as a choice and a plain schema."""
    found = effect(old, new)
    bare = old.is_bool or new.is_bool
    before, after = _takes_null(old), _takes_null(new)
    if before != after and not bare:
        what = "it may be null now" if after else "it is never null now"
    else:
        what = f"{_name(old)} becomes {_name(new)}"
    level = Level.WORDS if found is Effect.SAME else Level.COMPATIBLE
    yield Difference(path, what, found, new.end, otherwise=level)
    if not bare or found is Effect.SAME:
        yield from _beyond(old, new, found, path)


def _beyond(old: Schema, new: Schema, found: Effect, path: str) -> Iterator[Difference]:
    """Differences of two whole schemas beyond the values that they accept.

    Formats and fields of an alternative may come when the schema widens and go when it narrows.
    """
    before, after = facts(old), facts(new)
    for sign, those, free in (
        ("is gone", before - after, found is Effect.NARROWER),
        ("is new", after - before, found is Effect.WIDER),
    ):
        for where, keyword, value in sorted(those):
            field = keyword == PROPERTY
            if (free and (field or keyword == "format")) or (field and sign == "is new"):
                continue
            text = f"{keyword} {value} {sign}".replace("  ", " ")
            yield unmodelled(new.end, f"{path}{where}", text)


def _takes_null(schema: Schema) -> bool:
    return within(schema.like({"enum": [None]}), schema)


def _paired(old: Schema, new: Schema, keyword: str) -> Iterator[tuple[int, Schema, Schema]]:
    """The alternatives of two choices that differ, in pairs, each with its number in the new one.

    Equal ones are left out, wherever they stand; the others are paired in order.
    """
    theirs: dict[str, list[tuple[int, Schema]]] = {}
    for number, two in enumerate(new.listed(keyword), 1):
        theirs.setdefault(signature(two), []).append((number, two))
    left = []
    for one in old.listed(keyword):
        alike = theirs.get(signature(one), [])
        twin = next((each for each in alike if same(one, each[1])), None)
        if twin is None:
            left.append(one)
        else:
            alike.remove(twin)
    others = sorted((each for alike in theirs.values() for each in alike), key=lambda each: each[0])
    for one, (number, two) in zip(left, others, strict=True):
        yield number, one, two


def _name(schema: Schema) -> str:
    if schema.is_bool:
        return "anything" if schema.end.value else "nothing"
    choice = next((keyword for keyword in CHOICES if keyword in schema.asserted), None)
    return f"a schema with {choice}" if choice else "a plain schema"


def _choices(schema: Schema) -> list[int]:
    """How many alternatives each kind of choice has."""
    return [len(schema.listed(keyword)) for keyword in CHOICES]
