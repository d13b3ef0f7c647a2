"""The facts of a schema beyond the values that it accepts, by their paths."""

from __future__ import annotations

import re
from collections.abc import Iterator

from asyncapi_server.diff.schemas.schema import Key, Schema
from asyncapi_server.diff.schemas.vocabulary import LIST, MAP, ONE
from asyncapi_server.diff.values import canonical

PROPERTY = "a property"
"""Stands in place of a keyword for the fact that a schema names a property."""
Fact = tuple[str, str, str]
"""A path, a keyword and its value, as canonical text."""

_CHOICE = re.compile(r"\((allOf|anyOf|oneOf) \d+\)")


def facts(schema: Schema) -> set[Fact]:
    """The facts of a schema; a path does not name the alternative of a choice."""
    found = _facts(schema, "", ())
    return {(_CHOICE.sub("", path), keyword, value) for path, keyword, value in found}


def _facts(schema: Schema, path: str, met: tuple[Key, ...]) -> Iterator[Fact]:
    schema.context.step()
    for keyword, value in schema.beside.items():
        yield path, f"{keyword} beside $ref", canonical(value)
    for keyword, node in schema.overlay.items():
        yield path, keyword, canonical(node.value)
    if schema.is_reference:
        if schema.key in met:
            return
        met = (*met, schema.key)
    for keyword, value in schema.others.items():
        yield path, keyword, canonical(value)
    for keyword in schema.keywords.asserted:
        for name, below in _below(schema, keyword):
            if keyword == "properties":
                yield f"{path}{name}", PROPERTY, ""
            yield from _facts(below, f"{path}{name}", met)


def _below(schema: Schema, keyword: str) -> Iterator[tuple[str, Schema]]:
    """The schemas under a keyword, each with its step of the path."""
    if keyword in MAP:
        for name, below in schema.named(keyword).items():
            yield f"/{name}", below
    elif keyword in LIST:
        for index, below in enumerate(schema.listed(keyword)):
            yield f"({keyword} {index})", below
    elif keyword in ONE:
        yield f"/{keyword}", schema.one(keyword)
