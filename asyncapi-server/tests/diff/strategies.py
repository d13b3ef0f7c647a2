"""Strategies for schemas, for wider ones, and for any values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

Schema = Any
Schemas = st.SearchStrategy[Any]

NAMES = ("x", "y", "z")
_LOW = st.integers(0, 3)
_HIGH = st.integers(4, 7)
_SCALARS = st.sampled_from([None, True, False, 0, 1, 2.5, 5, 9, -1, "", "a", "ab", "abcdefgh", "c"])
_NODE = {"$ref": "#/definitions/Node"}


def any_value() -> st.SearchStrategy[Any]:
    """Values that are likely to meet some of the schemas here."""
    return st.recursive(
        _SCALARS,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
        ),
        max_leaves=8,
    )


def _leaves() -> Schemas:
    return st.one_of(
        st.fixed_dictionaries(
            {"type": st.sampled_from(["integer", "number"])},
            optional={"minimum": _LOW, "maximum": _HIGH, "multipleOf": st.sampled_from([1, 2])},
        ),
        st.fixed_dictionaries(
            {"type": st.just("string")},
            optional={
                "minLength": _LOW,
                "maxLength": _HIGH,
                "pattern": st.sampled_from(["^[ab]{0,9}$", "^[a-c]+$"]),
            },
        ),
        st.lists(st.sampled_from(["a", "b", 1, None]), min_size=1, max_size=3, unique=True).map(
            lambda listed: {"enum": listed}
        ),
        st.sampled_from([{"type": "null"}, {"type": "boolean"}, {"const": "c"}, {}]),
    )


def _objects(inner: Schemas) -> Schemas:
    return st.fixed_dictionaries(
        {
            "type": st.just("object"),
            "properties": st.dictionaries(st.sampled_from(NAMES), inner, max_size=2),
        },
        optional={
            "required": st.lists(st.sampled_from(NAMES), max_size=2, unique=True),
            "additionalProperties": st.one_of(st.just(False), inner),
        },
    )


def _arrays(inner: Schemas) -> Schemas:
    return st.fixed_dictionaries(
        {"type": st.just("array"), "items": inner},
        optional={"minItems": st.integers(0, 2), "maxItems": _HIGH, "uniqueItems": st.just(True)},
    )


def _choice(keyword: str, inner: Schemas) -> Schemas:
    return st.lists(inner, min_size=1, max_size=3).map(lambda parts: {keyword: parts})


def monotone(leaves: Schemas | None = None) -> Schemas:
    """Schemas that accept more when any part of them does."""
    return st.recursive(
        _leaves() if leaves is None else leaves,
        lambda inner: st.one_of(
            _objects(inner), _arrays(inner), _choice("anyOf", inner), _choice("allOf", inner)
        ),
        max_leaves=5,
    )


def recursive() -> Schemas:
    """Schemas with a definition that refers to itself below properties or items."""

    def whole(parts: tuple[Schema, Schema, Schema]) -> Schema:
        own, member, left = parts
        node = {
            "type": "object",
            "properties": {"x": left, "y": _NODE, "z": {"type": "array", "items": _NODE}},
            "required": ["x"],
        }
        return {"properties": {"x": _NODE, "y": member}, **own, "definitions": {"Node": node}}

    own = st.sampled_from([{}, {"type": "object"}, {"required": ["x"]}])
    return st.tuples(own, monotone(), monotone()).map(whole)


def any_schema() -> Schemas:
    """Schemas of all keywords, some of them with references."""
    return st.recursive(
        st.one_of(_leaves(), st.just(_NODE)),
        lambda inner: st.one_of(
            _objects(inner),
            _arrays(inner),
            *(_choice(keyword, inner) for keyword in ("anyOf", "allOf", "oneOf")),
            inner.map(lambda part: {"not": part}),
            inner.map(lambda part: {"contains": part}),
            inner.map(lambda part: {"additionalProperties": part}),
            st.tuples(inner, inner).map(lambda parts: {"if": parts[0], "then": parts[1]}),
        ),
        max_leaves=5,
    )


def wider(schema: Schema) -> Schemas:
    """The schema with one part that accepts more, of those made by `monotone` or `recursive`."""
    return st.sampled_from([schema, *_wider(schema)])


def _wider(schema: Schema) -> Iterator[Schema]:
    """Every such schema."""
    for keyword, value in schema.items() if isinstance(schema, dict) else ():
        for change in _RELAXED.get(keyword, ()):
            yield {**schema, keyword: change(value)}
        if keyword in _BOUNDS:
            yield {key: each for key, each in schema.items() if key != keyword}
        for each in _wider_below(keyword, value):
            yield {**schema, keyword: each}


def _wider_below(keyword: str, value: Any) -> Iterator[Any]:
    """The values of a keyword with one schema below it that accepts more."""
    if keyword in ("properties", "definitions"):
        for name, member in value.items():
            yield from ({**value, name: each} for each in _wider(member))
    elif keyword in ("items", "additionalProperties"):
        yield from _wider(value)
    elif keyword in ("anyOf", "allOf"):
        for index, part in enumerate(value):
            yield from ([*value[:index], each, *value[index + 1 :]] for each in _wider(part))


_BOUNDS = frozenset(
    {"minimum", "maximum", "minLength", "maxLength", "pattern", "multipleOf", "minItems",
     "maxItems", "uniqueItems", "required", "const", "enum", "additionalProperties"}
)  # fmt: skip
"""Keywords without which a schema accepts more."""
_RELAXED: dict[str, tuple[Callable[[Any], Any], ...]] = {
    "minimum": (lambda low: low - 1,),
    "maximum": (lambda high: high + 1,),
    "minLength": (lambda low: max(low - 1, 0),),
    "maxLength": (lambda high: high + 1,),
    "minItems": (lambda low: max(low - 1, 0),),
    "maxItems": (lambda high: high + 1,),
    "required": (lambda names: names[:-1],),
    "enum": (lambda listed: [*listed, "new"],),
    "anyOf": (lambda parts: [*parts, {"const": "new"}],),
    "type": (
        lambda kind: "number" if kind == "integer" else kind,
        lambda kind: kind if kind == "null" else [kind, "null"],
    ),
    "additionalProperties": (lambda _: True,),
}
