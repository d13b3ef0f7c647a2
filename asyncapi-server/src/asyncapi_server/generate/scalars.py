"""Shapes of values without parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from asyncapi_server.generate.keywords import Schema
from asyncapi_server.generate.shapes import (
    ANYTHING,
    NULL,
    Array,
    Constants,
    Dictionary,
    Kind,
    Scalar,
    Shape,
)

MAX_SAFE: Final = 2**53 - 1
"""The largest integer that a double holds exactly."""
_BOUNDS: Mapping[Kind, tuple[str, ...]] = {
    "string": ("minLength", "maxLength"),
    "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
}
_LONG = frozenset({"int64", "uint64"})


def scalar(kind: Kind, found: Schema) -> Scalar:
    """The shape of a value of a kind, with the bounds that its schema has."""
    if kind == "null":
        return NULL
    bounds = {
        keyword: limit
        for keyword in _BOUNDS.get(kind, ())
        if isinstance(limit := found.get(keyword), int | float) and not isinstance(limit, bool)
    }
    if kind == "number" and found.get("format") == "decimal":
        return Scalar("decimal", bounds)
    return Scalar(kind, bounds, kind == "integer" and _is_long(found, bounds))


def _is_long(found: Schema, bounds: Mapping[str, int | float]) -> bool:
    most = bounds.get("maximum", bounds.get("exclusiveMaximum"))
    if found.get("format") in _LONG:
        return most is None or most > MAX_SAFE
    least = bounds.get("minimum", bounds.get("exclusiveMinimum", 0))
    return (most or 0) > MAX_SAFE or least < -MAX_SAFE


def constant(value: object) -> Shape:
    """The shape of one value; types have no constants with a fraction or with parts."""
    if isinstance(value, float):
        return Constants((int(value),)) if value.is_integer() else Scalar("number")
    if value is None or isinstance(value, str | int):
        return Constants((value,))
    return Array(ANYTHING) if isinstance(value, list) else Dictionary(ANYTHING)
