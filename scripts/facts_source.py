"""The facts of an API's schemas as constants: enumerations, bounds and patterns.

A schema that lists texts becomes an enumeration. Each bound of any other named schema becomes a
constant, named after both: `Timeframe` with a maximum gives TIMEFRAME_MAXIMUM. So do the members of
`x-facts`, for facts that JSON Schema has no keyword for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from asyncapi_server import snake_case
from scripts.bundle import Object
from scripts.python_source import docstring, formatted, head

_BOUNDS = ("minimum", "maximum", "minLength", "maxLength", "maxItems", "pattern", "default")


def facts_source(schemas: Mapping[str, object], rows: Iterable[str], *sources: str) -> str:
    """A module of constants that imports none of our modules; `rows` are schemas of table rows."""
    enumerations = [_enumeration(name, schemas[name]) for name in enumerations_of(schemas)]
    fields: dict[str, object] = {}
    for name in rows:
        members = dict(_members(schemas, schemas[name]))
        prefix = snake_case(name).upper()
        fields[f"{prefix}_FIELDS"] = tuple(members)
        fields[f"{prefix}_DECIMALS"] = tuple(n for n, kind in members.items() if kind == "number")
    constants = [
        f"{name}: Final = {value!r}\n"
        for name, value in sorted({**_constants(schemas), **fields}.items())
    ]
    return formatted(
        head(*sources)
        + docstring("Facts of the documents: names, values and bounds.", indent="")
        + "\n\nfrom __future__ import annotations\n"
        "from enum import StrEnum\n"
        "from typing import Final\n\n" + "".join(constants) + "\n\n" + "\n\n".join(enumerations)
    )


def enumerations_of(schemas: Mapping[str, object]) -> list[str]:
    """The names of the schemas that list more than one text."""
    return sorted(name for name, schema in schemas.items() if len(_texts(cast(Object, schema))) > 1)


def _texts(schema: Object) -> list[str]:
    values = cast(list[str], schema.get("enum", []))
    return values if schema.get("type") == "string" else []


def _enumeration(name: str, schema: object) -> str:
    described = cast(Mapping[str, str], schema)
    names = cast(Mapping[str, list[str]], schema).get("x-enum-varnames")
    texts = _texts(cast(Object, schema))
    members = names or [snake_case(text).upper() for text in texts]
    body = "".join(f"    {m} = {t!r}\n" for m, t in zip(members, texts, strict=True))
    return f"class {name}(StrEnum):\n{docstring(described['description'])}\n\n{body}"


def _members(schemas: Mapping[str, object], value: object) -> Iterator[tuple[str, object]]:
    """The names of the members of an object schema, and their types."""
    schema = _resolved(schemas, value)
    for name, member in cast(Object, schema.get("properties", {})).items():
        yield name, _resolved(schemas, member).get("type")
    for part in cast(list[object], schema.get("allOf", [])):
        yield from _members(schemas, part)


def _resolved(schemas: Mapping[str, object], value: object) -> Object:
    schema = cast(Object, value)
    if "$ref" in schema:
        return cast(Object, schemas[cast(str, schema["$ref"]).rsplit("/", 1)[1]])
    return schema


def _constants(schemas: Mapping[str, object]) -> dict[str, object]:
    return {
        name: value
        for schema in schemas.items()
        if not isinstance(cast(Object, schema[1]).get("items"), list)  # a tuple has one size
        for name, value in _of_schema(*schema)
    }


def _of_schema(name: str, value: object) -> Iterator[tuple[str, object]]:
    schema, prefix = cast(Object, value), snake_case(name).upper()
    bounds = {key: schema[key] for key in _BOUNDS if key in schema}
    for key, fact in {**bounds, **cast(Object, schema.get("x-facts", {}))}.items():
        yield f"{prefix}_{snake_case(key).upper()}", fact
    if schema.get("type") == "integer" and "enum" in schema:
        yield f"{prefix}_VALUES", tuple(cast(list[int], schema["enum"]))
