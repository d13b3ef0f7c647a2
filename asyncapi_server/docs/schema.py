"""A schema as rows of a table, one for each place in a matching value."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from asyncapi_server.document.discriminator import json_type
from asyncapi_server.document.source import DanglingReference, Node

ANY = "any value"
MAX_DEPTH = 10
"""The depth below its root to which a schema is described."""

_BOUNDS = (
    ("minimum", "maximum", ""),
    ("minLength", "maxLength", "character"),
    ("minItems", "maxItems", "element"),
    ("minProperties", "maxProperties", "member"),
)
_OTHER_BOUNDS = (
    ("exclusiveMinimum", "above {}"),
    ("exclusiveMaximum", "below {}"),
    ("multipleOf", "a multiple of {}"),
)
_TYPE_BOUNDS = frozenset({2**63 - 1, 2**53 - 1})
"""Upper bounds that come from the number's type, and mean nothing to readers."""


@dataclass(frozen=True, slots=True)
class Row:
    """One place in a value."""

    path: str
    """From the root: "subscriptions[].symbol", "[1].c"; "" is the value itself."""
    type: str
    """In plain words: "array of integers or null"."""
    required: bool
    limits: tuple[str, ...] = ()
    """Constraints, such as "at most 64 characters"."""
    constants: tuple[str, ...] = ()
    """The only values that it may have, as JSON."""
    pattern: str = ""
    default: str = ""
    """As JSON."""
    description: str = ""
    """Markdown."""
    choice: str = ""
    """Set on rows that begin an alternative: "Either", "or"."""


def rows(schema: Node) -> list[Row]:
    """The rows of a schema; the first is for the root itself when it has something to show."""
    found = list(_rows(schema, "", True, frozenset(), MAX_DEPTH))
    return found[1:] if len(found) > 1 and _says_nothing(found[0]) else found


def _says_nothing(row: Row) -> bool:
    content = row.limits or row.constants or row.description or row.choice
    return row.path == "" and row.type == "object" and not content


def _rows(
    node: Node, path: str, required: bool, seen: frozenset[tuple[str, str]], depth: int
) -> Iterator[Row]:
    try:
        target = node.follow()
    except DanglingReference as error:
        yield Row(path, str(error), required)
        return
    if target.identity in seen or depth == 0:
        yield Row(path, f"{target.key} again", required)
        return
    inside = seen | {target.identity} if node.reference is not None else seen
    alternatives, nullable = _alternatives(target)
    if len(alternatives) == 1:
        first, *rest = _rows(alternatives[0], path, required, inside, depth)
        described = target.text("description") or first.description
        yield replace(first, type=_or_null(first.type, nullable), description=described)
        yield from rest
        return
    whole = _row(target, path, required, nullable)
    below: list[Row] = []
    for part in _parts(target, "allOf"):
        first, *rest = _rows(part, path, required, inside, depth)
        whole = _both(whole, first)
        below += rest
    yield whole
    yield from _members(target, path, inside, depth - 1)
    yield from below
    for number, alternative in enumerate(alternatives):
        first, *rest = _rows(alternative, path, required, inside, depth - 1)
        title = _title(alternative)
        word = "either" if number == 0 else "or"
        yield replace(first, choice=f"{word} {title}" if title else word)
        yield from rest


def _both(whole: Row, part: Row) -> Row:
    """The row of a value, completed from the row of a part of its schema."""
    return replace(
        whole,
        limits=tuple(dict.fromkeys((*whole.limits, *part.limits))),
        constants=whole.constants or part.constants,
        pattern=whole.pattern or part.pattern,
        default=whole.default or part.default,
        description=whole.description or part.description,
    )


def _alternatives(node: Node) -> tuple[list[Node], bool]:
    """The alternatives of a schema except null, and whether null is one."""
    alternatives = [*_parts(node, "oneOf"), *_parts(node, "anyOf")]
    nullable = [a for a in alternatives if a.raw("type") and a.text("type") == "null"]
    return [a for a in alternatives if a not in nullable], bool(nullable)


def _members(node: Node, path: str, seen: frozenset[tuple[str, str]], depth: int) -> Iterator[Row]:
    must = node.raw("required")
    needed = must.value if must is not None and isinstance(must.value, list) else []
    for name, member in node.items_of("properties"):
        below = f"{path}.{name}" if path else name
        yield from _rows(member, below, name in needed, seen, depth)
    others = node.raw("additionalProperties")
    if others is not None and isinstance(others.value, dict):
        yield from _rows(others, f"{path}.*" if path else "*", False, seen, depth)
    items = node.raw("items")
    if items is None:
        return
    if isinstance(items.value, list):
        least = node.raw("minItems")
        count = least.value if least is not None and isinstance(least.value, int) else 0
        for index, element in enumerate(items.elements()):
            yield from _rows(element, f"{path}[{index}]", index < count, seen, depth)
        return
    # The array's row already names an element that is only a type.
    first, *rest = _rows(items, f"{path}[]", True, seen, depth)
    content = first.limits or first.constants or first.pattern or first.description or first.choice
    if content and not rest:
        yield first
    yield from rest


def _row(node: Node, path: str, required: bool, nullable: bool) -> Row:
    schema = node.value if isinstance(node.value, dict) else {}
    constants = [schema["const"]] if "const" in schema else schema.get("enum", [])
    return Row(
        path=path,
        type=_or_null(_type(node), nullable or schema.get("nullable") is True),
        required=required,
        limits=tuple(_limits(schema)),
        constants=tuple(json.dumps(constant, ensure_ascii=False) for constant in constants),
        pattern=str(schema.get("pattern", "")),
        default=json.dumps(schema["default"]) if "default" in schema else "",
        description=node.text("description") or "",
    )


def _limits(schema: dict[str, object]) -> Iterator[str]:
    for least, most, unit in _BOUNDS:
        yield from _range(_number(schema, least), _number(schema, most), unit)
    for keyword, text in _OTHER_BOUNDS:
        bound = _number(schema, keyword)
        if bound is not None:
            yield text.format(_grouped(bound))
    if schema.get("uniqueItems") is True:
        yield "each element once"
    if schema.get("additionalProperties") is False:
        yield "no other fields"


def _range(least: float | None, most: float | None, unit: str) -> Iterator[str]:
    if most in _TYPE_BOUNDS:
        most = None
    units = f" {unit}{'' if (most or least) == 1 else 's'}" if unit else ""
    if least is not None and most is not None:
        between = _grouped(most) if least == most else f"{_grouped(least)} to {_grouped(most)}"
        yield f"{between}{units}"
    elif least:
        yield f"at least {_grouped(least)}{units}"
    elif least == 0 and not unit:
        yield "not negative"
    elif most is not None:
        yield f"at most {_grouped(most)}{units}"


def _number(schema: dict[str, object], keyword: str) -> float | None:
    found = schema.get(keyword)
    return found if isinstance(found, int | float) and not isinstance(found, bool) else None


def _grouped(number: float) -> str:
    """Digits in groups, separated by narrow spaces: 525 600."""
    return f"{number:,}".replace(",", "\u202f")


def _type(node: Node) -> str:
    schema = node.value if isinstance(node.value, dict) else {}
    declared = schema.get("type")
    if isinstance(declared, list):
        return " or ".join(str(each) for each in declared)
    if declared == "array" or "items" in schema:
        items = node.raw("items")
        if items is None or isinstance(items.value, list):
            return "array"
        try:
            element = items.follow()
        except DanglingReference:
            return "array"
        return f"array of {_plural(_type(element))}"
    if declared is None:
        constants = [schema["const"]] if "const" in schema else schema.get("enum")
        if isinstance(constants, list) and constants:
            return " or ".join(dict.fromkeys(json_type(constant) for constant in constants))
        parts = [_type(part.follow()) for part in _parts(node, "allOf")]
        named = [part for part in parts if part != ANY]
        return named[0] if named else "object" if "properties" in schema else ANY
    if schema.get("format") == "decimal":
        return "exact decimal"
    return str(declared)


def _plural(text: str) -> str:
    first, space, rest = text.partition(" ")
    return text if first == "any" else f"{first}s{space}{rest}"


def _or_null(text: str, nullable: bool) -> str:
    return f"{text} or null" if nullable else text


def _title(node: Node) -> str:
    title = node.follow().text("title")
    return title or (node.follow().key if node.reference is not None else "")


def _parts(node: Node, keyword: str) -> list[Node]:
    found = node.raw(keyword)
    return list(found.elements()) if found is not None else []
