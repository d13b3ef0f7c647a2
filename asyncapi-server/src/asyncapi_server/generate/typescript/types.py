"""Types of TypeScript for shapes, and the same shapes as data, which distinguish messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from asyncapi_server.generate.scalars import MAX_SAFE
from asyncapi_server.generate.shapes import (
    Array,
    Choice,
    Constants,
    Definition,
    Dictionary,
    Kind,
    Member,
    Named,
    Object,
    Scalar,
    Shape,
    Tuple,
    names_in,
    parts_of,
)
from asyncapi_server.generate.texts import block_comment, literal

_INTEGER = (
    "/** A whole number: a bigint where a number would round it, beyond 2^53. */\n"
    "export type Integer = number | bigint;\n\n"
)
_SCALARS: Mapping[Kind, str] = {
    "string": "string", "integer": "number", "number": "number", "decimal": "number",
    "boolean": "boolean", "null": "null",
}  # fmt: skip
_PLAIN_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")


def types_source(definitions: Iterable[Definition]) -> str:
    """The module of all types."""
    found = list(definitions)
    has_long = any(_has_long(each.shape) for each in found)
    return (_INTEGER if has_long else "") + ("\n".join(map(_definition, found)) or "export {};\n")


def shapes_source(definitions: Iterable[Definition]) -> str:
    """The module of the shapes of all types, by their names."""
    rows = "".join(
        f"  [{literal(each.name)}, {literal(_data(each.shape))}],\n" for each in definitions
    )
    return (
        'import type { Shape, Shapes } from "./values.js";\n\n'
        "/** What the values of each type look like. */\n"
        f"export const SHAPES: Shapes = new Map<string, Shape>([\n{rows}]);\n"
    )


def typescript_type(shape: Shape) -> str:
    """The type of values of a shape."""
    match shape:
        case Scalar(kind):
            return "Integer" if shape.is_long else _SCALARS[kind]
        case Constants(values):
            return " | ".join(dict.fromkeys(map(_constant, values)))
        case Named(name):
            return name
        case Array(items):
            return f"{_single(items)}[]"
        case Tuple():
            return _tuple(shape)
        case Dictionary(values):
            return f"Record<string, {typescript_type(values)}>"
        case Choice(parts):
            return " | ".join(dict.fromkeys(map(typescript_type, parts)))
    return "unknown"


def types_in(shape: Shape) -> set[str]:
    """The types that the type of a shape refers to."""
    return set(names_in(shape)) | ({"Integer"} if _has_long(shape) else set())


def _has_long(shape: Shape) -> bool:
    match shape:
        case Scalar():
            return shape.is_long
        case Constants(values):
            return any(_constant(value) == "Integer" for value in values)
    return any(map(_has_long, parts_of(shape)))


def members_source(members: Iterable[Member], indent: str = "  ") -> str:
    """The members of an interface."""
    return "".join(
        f"{block_comment(member.description, indent)}{indent}{key(member.name)}"
        f"{'' if member.is_required else '?'}: {typescript_type(member.shape)};\n"
        for member in members
    )


def key(name: str) -> str:
    """A name as a key of an interface."""
    return name if _PLAIN_KEY.fullmatch(name) else literal(name)


def members_of(values: Mapping[str, object]) -> str:
    """The members of an object, as they stand between its braces.

    One that is named `__proto__` would be no member without brackets.
    """
    keys = {name: '["__proto__"]' if name == "__proto__" else key(name) for name in values}
    return ", ".join(f"{keys[name]}: {literal(value)}" for name, value in values.items())


def _definition(definition: Definition) -> str:
    text = block_comment(definition.description)
    shape = definition.shape
    if isinstance(shape, Object):
        return f"{text}export interface {definition.name} {{\n{members_source(shape.members)}}}\n"
    return f"{text}export type {definition.name} = {typescript_type(shape)};\n"


def _constant(value: object) -> str:
    is_long = isinstance(value, int) and abs(value) > MAX_SAFE
    return "Integer" if is_long else literal(value)


def _single(shape: Shape) -> str:
    """The type of elements of an array, in parentheses where it is a union."""
    found = typescript_type(shape)
    return f"({found})" if isinstance(shape, Choice | Constants) else found


def _tuple(shape: Tuple) -> str:
    parts = [typescript_type(part) for part in shape.items[: shape.least]]
    parts += [f"({typescript_type(part)})?" for part in shape.items[shape.least :]]
    if shape.rest is not None:
        parts.append(f"...{_single(shape.rest)}[]")
    return f"[{', '.join(parts)}]"


def _data(shape: Shape) -> object:
    match shape:
        case Scalar(kind):
            return "long" if shape.is_long else "number" if kind == "decimal" else kind
        case Constants(values):
            return {"constants": values}
        case Named(name):
            return {"named": name}
        case Array(items):
            return {"array": _data(items)}
        case Tuple(items, least, rest):
            more = {} if rest is None else {"rest": _data(rest)}
            return {"tuple": [_data(item) for item in items], "least": least, **more}
        case Dictionary(values):
            return {"dictionary": _data(values)}
        case Object(members, is_closed):
            listed = [[each.name, _data(each.shape), each.is_required] for each in members]
            return {"members": listed, **({"closed": True} if is_closed else {})}
        case Choice(parts):
            return {"choice": [_data(part) for part in parts]}
    return "any"
