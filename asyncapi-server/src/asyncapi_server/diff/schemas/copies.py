"""Schemas by themselves: copies of what validation checks, without references."""

from __future__ import annotations

from asyncapi_server.diff.schemas.schema import Key, Schema
from asyncapi_server.diff.schemas.vocabulary import LIST, MAP, ONE
from asyncapi_server.diff.values import canonical

MAX_SCHEMAS = 20_000
"""Schemas of one copy."""


def size(schema: Schema) -> int | None:
    """How many schemas there are when what a schema refers to is written out.

    None when there is no end to that, or a reference is not followed.
    """
    memory: dict[Key, tuple[int | None, Schema]] = schema.context.memory.setdefault(size, {})
    if schema.key not in memory:
        schema.context.step()
        # The key is its own as long as the schema exists, so it is kept.
        memory[schema.key] = None, schema  # while it is measured: it may contain itself
        memory[schema.key] = _measured(schema), schema
    return memory[schema.key][0]


def _measured(schema: Schema) -> int | None:
    if schema.is_dynamic:
        return None
    sizes = [size(each) for keyword in schema.keywords.asserted for each in _below(schema, keyword)]
    known = [each for each in sizes if each is not None]
    return 1 + sum(known) if len(known) == len(sizes) else None


def _below(schema: Schema, keyword: str) -> list[Schema]:
    """The schemas under a keyword."""
    if keyword in MAP:
        return list(schema.named(keyword).values())
    if keyword in LIST:
        return schema.listed(keyword)
    return [schema.one(keyword)] if keyword in ONE else []


def standalone(schema: Schema) -> str | None:
    """The canonical text of a schema with what it refers to written out, in draft 2020-12.

    None when there is no end to that, or none within MAX_SCHEMAS.
    """
    measured = size(schema)
    if measured is None or measured > MAX_SCHEMAS:
        return None
    memory: dict[Key, tuple[str, Schema]] = schema.context.memory.setdefault(standalone, {})
    if schema.key not in memory:
        memory[schema.key] = canonical({"allOf": [_content(schema)]}), schema
    return memory[schema.key][0]


def _content(schema: Schema) -> object:
    schema.context.step()
    if schema.is_bool:
        return schema.end.value
    return {keyword: _value(schema, keyword) for keyword in schema.keywords.asserted}


def _value(schema: Schema, keyword: str) -> object:
    """The value of one keyword."""
    if keyword in MAP:
        return {name: _content(each) for name, each in schema.named(keyword).items()}
    if keyword in LIST:
        return [_content(each) for each in schema.listed(keyword)]
    value: object = schema.keywords.asserted[keyword].value
    return _content(schema.one(keyword)) if keyword in ONE else value
