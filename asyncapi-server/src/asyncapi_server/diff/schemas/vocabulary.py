"""The keywords of a schema of any dialect, in those of JSON Schema draft 2020-12."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from asyncapi_server.diff.parts import made
from asyncapi_server.document.dialects import Dialect, draft_7
from asyncapi_server.document.source import Node

ONE = frozenset(
    {"additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then",
     "unevaluatedItems", "unevaluatedProperties"}
)  # fmt: skip
LIST = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
MAP = frozenset({"dependentSchemas", "patternProperties", "properties"})
"""Keywords whose values are a schema, a list of schemas, schemas by name."""
SETS = frozenset({"allOf", "anyOf", "enum", "oneOf", "required", "type"})
"""Keywords whose values are lists in which the order has no meaning."""
WORDS = frozenset(
    {"$anchor", "$comment", "$defs", "$id", "$schema", "definitions", "description", "example",
     "examples", "externalDocs", "title"}
)  # fmt: skip
"""Keywords that do not constrain values; definitions count where they are used."""
DYNAMIC = frozenset({"$dynamicRef", "$recursiveRef"})
"""References whose targets depend on where a schema is used, which are not followed."""

SIMPLE = frozenset(
    {"const", "enum", "exclusiveMaximum", "exclusiveMinimum", "maxItems", "maxLength",
     "maxProperties", "maximum", "minItems", "minLength", "minProperties", "minimum", "multipleOf",
     "pattern", "required", "type", "uniqueItems"}
)  # fmt: skip
"""Keywords whose values are data."""
_SINCE_DRAFT_6 = frozenset({"const", "contains", "else", "if", "propertyNames", "then"})
_SINCE_2019 = frozenset(
    {"dependentRequired", "dependentSchemas", "maxContains", "minContains", "unevaluatedItems",
     "unevaluatedProperties"}
)  # fmt: skip
_DRAFT_7 = (
    SIMPLE
    | (ONE | LIST | MAP) - _SINCE_2019 - {"prefixItems"}
    | {"additionalItems", "dependencies"}
)
ASSERTIONS: Mapping[Dialect, frozenset[str]] = {
    Dialect.OPENAPI_3_0: _DRAFT_7 - _SINCE_DRAFT_6,
    Dialect.DRAFT_7: _DRAFT_7,
    Dialect.DRAFT_2020: SIMPLE | ONE | LIST | MAP | _SINCE_2019 | {"additionalItems"},
}
"""The keywords that validation checks, as each dialect has them."""


class Keywords(NamedTuple):
    """The keywords of one schema, without references and words."""

    asserted: dict[str, Node]
    """Those that validation checks, as draft 2020-12 has them."""
    others: dict[str, Node]
    """All others, as they are written."""


def keywords(node: Node, dialect: Dialect, words: frozenset[str] = WORDS) -> Keywords:
    """The keywords of the schema at a node, an object; those below it stay as they are written."""
    fields = {key: member for key, member in node.items() if key != "$ref" and key not in words}
    extra: dict[str, Node] = {}
    if dialect is Dialect.OPENAPI_3_0:
        if fields.get("nullable") is not None and not isinstance(node.text("type"), str):
            extra["nullable"] = fields["nullable"]  # it has no meaning without a type
        fields = _translated(node, fields)
    known = ASSERTIONS[dialect]
    asserted = {key: member for key, member in fields.items() if key in known}
    others = {key: member for key, member in fields.items() if key not in known}
    others.update(extra)
    _arrays(asserted, others)
    if "dependencies" in asserted:
        _dependencies(asserted)
    return Keywords(asserted, others)


def _translated(node: Node, fields: Mapping[str, Node]) -> dict[str, Node]:
    """The keywords of OpenAPI 3.0 in draft 7."""
    raw = {key: member.value for key, member in fields.items()}
    return {
        key: fields[key] if key in fields and raw.get(key) is value else made(node, value, key)
        for key, value in draft_7(raw, Dialect.OPENAPI_3_0).items()
        if key not in WORDS
    }


def _arrays(asserted: dict[str, Node], others: dict[str, Node]) -> None:
    """Turn `items` with a list, and `additionalItems`, into `prefixItems` and `items`."""
    additional = asserted.pop("additionalItems", None)
    items = asserted.get("items")
    if items is None or not isinstance(items.value, list):
        if additional is not None:
            others["additionalItems"] = additional  # it has no meaning
        return
    del asserted["items"]
    if items.value:
        asserted["prefixItems"] = items
    if additional is not None:
        asserted["items"] = additional


def _dependencies(asserted: dict[str, Node]) -> None:
    """Turn `dependencies` into those on properties and those on schemas."""
    node = asserted.pop("dependencies")
    if not isinstance(node.value, dict):
        asserted["dependentSchemas"] = node  # which is a fault there too
        return
    required = {name: each for name, each in node.value.items() if isinstance(each, list)}
    schemas = {name: each for name, each in node.value.items() if not isinstance(each, list)}
    for keyword, value in (("dependentRequired", required), ("dependentSchemas", schemas)):
        if value:
            asserted[keyword] = made(node, value)
