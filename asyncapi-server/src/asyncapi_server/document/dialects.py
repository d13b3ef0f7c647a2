"""Schema formats: those that are read, and how their keywords are said in draft 7."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum


class Dialect(Enum):
    """The keywords of a schema."""

    DRAFT_7 = "draft 7"
    """JSON Schema draft 7, and AsyncAPI's superset of it."""
    OPENAPI_3_0 = "OpenAPI 3.0"
    DRAFT_2020 = "2020-12"
    """JSON Schema 2019-09 and 2020-12, and OpenAPI 3.1, which takes it over."""


_FORMATS = (
    (re.compile(r"application/vnd\.aai\.asyncapi(\+json|\+yaml)?(;version=.*)?"), Dialect.DRAFT_7),
    (re.compile(r"application/schema(\+json|\+yaml)(;version=draft-0[67])?"), Dialect.DRAFT_7),
    (
        re.compile(r"application/schema(\+json|\+yaml);version=(draft/)?20(19-09|20-12)"),
        Dialect.DRAFT_2020,
    ),
    (
        re.compile(r"application/vnd\.oai\.openapi(\+json|\+yaml)?;version=3\.0(\.\d+)?"),
        Dialect.OPENAPI_3_0,
    ),
    (
        re.compile(r"application/vnd\.oai\.openapi(\+json|\+yaml)?;version=3\.1(\.\d+)?"),
        Dialect.DRAFT_2020,
    ),
)


def dialect_of(schema_format: str | None) -> Dialect | None:
    """The dialect of a `schemaFormat`; None for one that is not read, such as Avro."""
    if schema_format is None:
        return Dialect.DRAFT_7
    plain = schema_format.replace(" ", "").replace('"', "").lower()
    return next((dialect for pattern, dialect in _FORMATS if pattern.fullmatch(plain)), None)


def draft_7(schema: Mapping[str, object], dialect: Dialect) -> dict[str, object]:
    """The keywords of one schema, those below it apart, in draft 7."""
    if dialect is Dialect.OPENAPI_3_0:
        return _from_openapi(dict(schema))
    if dialect is Dialect.DRAFT_2020:
        return _from_2020(dict(schema))
    return {keyword: value for keyword, value in schema.items() if keyword not in _FOREIGN}


_FOREIGN = frozenset(
    {"dependentRequired", "dependentSchemas", "example", "nullable", "prefixItems"}
)


def is_unsayable(keyword: str, dialect: Dialect) -> bool:
    """Whether draft 7 cannot say a keyword of a dialect."""
    return dialect is Dialect.DRAFT_2020 and keyword in _UNSAYABLE


_UNSAYABLE = frozenset(
    {"$dynamicRef", "maxContains", "minContains", "unevaluatedItems", "unevaluatedProperties"}
)


def _from_openapi(schema: dict[str, object]) -> dict[str, object]:
    if "example" in schema:
        schema["examples"] = [schema.pop("example")]
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if schema.get(exclusive) is True and bound in schema:
            schema[exclusive] = schema.pop(bound)
        elif isinstance(schema.get(exclusive), bool):
            del schema[exclusive]
    if schema.pop("nullable", None) is True and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        if isinstance(constants := schema.get("enum"), list) and None not in constants:
            schema["enum"] = [*constants, None]
    return schema


def _from_2020(schema: dict[str, object]) -> dict[str, object]:
    if "prefixItems" in schema:
        rest = schema.pop("items", None)
        schema["items"] = schema.pop("prefixItems")
        if rest is not None:
            schema["additionalItems"] = rest
    dependencies: dict[str, object] = {}
    for keyword in ("dependentRequired", "dependentSchemas"):
        found = schema.pop(keyword, None)
        if isinstance(found, dict):
            for name, each in found.items():
                known = dependencies.get(name)
                dependencies[name] = each if known is None else {"allOf": [_needs(known), each]}
    if dependencies:
        schema["dependencies"] = dependencies
    return schema


def _needs(dependency: object) -> object:
    return {"required": dependency} if isinstance(dependency, list) else dependency
