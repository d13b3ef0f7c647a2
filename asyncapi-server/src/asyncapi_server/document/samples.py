"""Values of a schema: as the document illustrates them, else as small as they may be.

Examples, defaults and constants come first, at each place. The schema is self-contained and may
have `examples` and `default` (see `schemas.bundle`). The same schema always gives the same values.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from asyncapi_server import pointer as jsonpointer
from asyncapi_server.document.matching import texts
from asyncapi_server.document.merging import merged
from asyncapi_server.validation import validator

MAX_TRIES = 300
"""Values that are tried before a schema counts as one that has none."""
MAX_CHOICES = 4
"""Values of one place that are tried in turn."""
OPTIONAL_DEPTH = 3
"""The depth to which members that may be left out are given."""
MAX_DEPTH = 12

_FORMATS = {
    "date": "2024-01-02",
    "date-time": "2024-01-02T03:04:05Z",
    "duration": "PT1M",
    "email": "ann@example.com",
    "hostname": "example.com",
    "idn-email": "ann@example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "json-pointer": "/a",
    "regex": "a",
    "time": "03:04:05Z",
    "uri": "https://example.com/",
    "uri-reference": "/a",
    "url": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_GUESSES = (
    "a", "A", "0", "1", "ab", "AB", "abc", "ABC", "a1", "A1", "a-b", "a_b", "a.b", "a/b", "a:b",
    "1.0", "0.1", "1.00", "-1", "12", "123", "1234", "12345", "0x0", "#000000", "EUR", "EURUSD",
    "EUR/USD", "EUR-USD", "1m", "1h", "1d", "true", "v1", "1.0.0", "+491234567", "12:30",
    "12:30:00", *_FORMATS.values(),
)  # fmt: skip
"""Texts that common patterns admit."""
_TYPES = ("object", "string", "integer", "number", "boolean", "array", "null")

Schema = Mapping[str, object]


def sample(schema: Schema, wanted: Callable[[object], bool] = lambda _: True) -> object:
    """A value of a schema that is wanted; pointer.MISSING when none is found."""
    is_valid = validator(dict(schema)).is_valid
    tried = itertools.islice(_Maker(schema).values(schema, OPTIONAL_DEPTH), MAX_TRIES)
    found = (value for value in tried if is_valid(value) and wanted(value))
    return next(found, jsonpointer.MISSING)


class _Maker:
    def __init__(self, root: Schema) -> None:
        self._root = root
        self._made: dict[tuple[int, int], Sequence[object]] = {}

    def values(self, schema: object, depth: int) -> Iterator[object]:
        """Values that are likely to fit, the best first."""
        if schema is False or depth < OPTIONAL_DEPTH - MAX_DEPTH:
            return
        if not isinstance(schema, Mapping):
            yield from ({}, "", 0)
            return
        if isinstance(reference := schema.get("$ref"), str):
            target = jsonpointer.lookup(self._root, jsonpointer.tokens(reference.lstrip("#")))
            yield from self.values(target, depth - 1)
            return
        yield from _list(schema, "examples")
        for keyword in ("default", "const"):
            if keyword in schema:
                yield schema[keyword]
        yield from _list(schema, "enum")
        if "const" not in schema and "enum" not in schema:
            yield from self._built(schema, depth)

    def _built(self, schema: Schema, depth: int) -> Iterator[object]:
        for keyword in ("oneOf", "anyOf"):
            if parts := _list(schema, keyword):
                rest = {key: value for key, value in schema.items() if key != keyword}
                each = [merged(rest, part, self._root) for part in parts]
                yield from _in_turn([self.values(part, depth) for part in each])
                return
        if parts := _list(schema, "allOf"):
            whole: Schema = {key: value for key, value in schema.items() if key != "allOf"}
            for part in parts:
                whole = merged(whole, part, self._root)
            yield from self.values(whole, depth)
            return
        yield from _in_turn([self._typed(schema, kind, depth) for kind in _types(schema)])

    def _typed(self, schema: Schema, kind: str, depth: int) -> Iterator[object]:
        if kind == "object":
            yield from self._objects(schema, depth)
        elif kind == "array":
            yield from self._arrays(schema, depth)
        elif kind == "string":
            yield from _texts(schema)
        elif kind in ("integer", "number"):
            yield from _numbers(schema, whole=kind == "integer")
        elif kind == "boolean":
            yield from (True, False)
        else:
            yield None

    def _objects(self, schema: Schema, depth: int) -> Iterator[object]:
        properties = _mapping(schema, "properties")
        required = [str(name) for name in _list(schema, "required")]
        rest = schema.get("additionalProperties", True)
        choices = {
            name: self._choices(properties.get(name, rest), depth - 1)
            for name in dict.fromkeys((*properties, *required))
        }
        if not all(choices[name] for name in required):
            return
        least = {name: choices[name][0] for name in required}
        full = {name: values[0] for name, values in choices.items() if values}
        whole = full if depth > 0 else least
        yield self._filled(schema, whole, depth)
        yield self._filled(schema, least, depth)
        for base in (whole, least):
            for name, values in choices.items():
                yield from ({**base, name: value} for value in values[1:] if name in base)
        for name, values in choices.items():
            if values and name not in least:
                yield {**least, name: values[0]}

    def _filled(self, schema: Schema, value: dict[str, object], depth: int) -> dict[str, object]:
        """The value with as many members as are needed."""
        missing = _count(schema, "minProperties", 0) - len(value)
        others = self._choices(schema.get("additionalProperties", True), depth - 1)
        if missing <= 0 or not others:
            return value
        names = (f"key{number}" for number in itertools.count(1))
        free = (name for name in names if name not in value)
        return {**value, **dict.fromkeys(itertools.islice(free, min(missing, 50)), others[0])}

    def _arrays(self, schema: Schema, depth: int) -> Iterator[object]:
        items = schema.get("items", True)
        least = min(_count(schema, "minItems", 0), 50)
        if isinstance(items, list):
            rest = schema.get("additionalItems", True)
            parts = [*items, *[rest] * max(0, least - len(items))]
            choices = [self._choices(part, depth - 1) for part in parts]
            if all(choices):
                first = [values[0] for values in choices]
                yield first
                for place, values in enumerate(choices):
                    yield from ([*first[:place], v, *first[place + 1 :]] for v in values[1:])
            return
        elements = self._choices(items, depth - 1)
        if elements:
            most = max(least, 1)
            unique = schema.get("uniqueItems") is True
            yield (
                list(itertools.islice(itertools.cycle(elements), most))
                if unique
                else ([elements[0]] * most)
            )
            yield from ([value] * most for value in elements[1:])
        if not least:
            yield []

    def _choices(self, schema: object, depth: int) -> Sequence[object]:
        """A few values of a place, each of them once."""
        key = id(schema), depth
        if key not in self._made:
            self._made[key] = ()  # of a schema that needs itself there are none
            self._made[key] = _distinct(self.values(schema, depth))
        return self._made[key]


def _texts(schema: Schema) -> Iterator[str]:
    least = min(_count(schema, "minLength", 0), 10_000)
    most = _count(schema, "maxLength", max(least, 6))
    if isinstance(form := schema.get("format"), str) and form in _FORMATS:
        yield _FORMATS[form]
    yield ("string" * (least // 6 + 1))[: max(least, min(6, most))]
    if isinstance(pattern := schema.get("pattern"), str):
        yield from texts(pattern)
        yield from _GUESSES
        yield from (character * length for length in {least, most} for character in "a0A")


def _numbers(schema: Schema, *, whole: bool) -> Iterator[object]:
    low, high = _number(schema, "minimum"), _number(schema, "maximum")
    above, below = _number(schema, "exclusiveMinimum"), _number(schema, "exclusiveMaximum")
    step = _number(schema, "multipleOf")
    tried: list[float | None] = [1, 0, low, high]
    if above is not None:
        tried += [math.floor(above) + 1, above + 0.5]
    if below is not None:
        tried += [math.ceil(below) - 1, below - 0.5]
    if above is not None and below is not None:
        tried.append((above + below) / 2)
    if step:
        start = low if low is not None else above if above is not None else 0
        tried += [step, (math.floor(start / step) + 1) * step, math.ceil(start / step) * step]
    for number in tried:
        if number is not None and math.isfinite(number):
            if whole or float(number).is_integer():
                yield int(number)
            else:
                yield number


def _in_turn(sources: Sequence[Iterator[object]]) -> Iterator[object]:
    """The values of several sources, one of each at a time."""
    ended = object()
    for row in itertools.zip_longest(*sources, fillvalue=ended):
        yield from (value for value in row if value is not ended)


def _distinct(values: Iterator[object]) -> Sequence[object]:
    found: list[object] = []
    for value in itertools.islice(values, 4 * MAX_CHOICES):
        if not any(value is known or (type(value) is type(known) and value == known)
                   for known in found):  # fmt: skip
            found.append(value)
        if len(found) == MAX_CHOICES:
            break
    return found


def _types(schema: Schema) -> list[str]:
    declared = schema.get("type")
    if declared is None:
        return list(_implied(schema))
    return [str(kind) for kind in declared] if isinstance(declared, list) else [str(declared)]


def _implied(schema: Schema) -> Iterator[str]:
    """The types of a schema without one: those that its keywords are about, first."""
    about = {
        "object": ("properties", "required", "additionalProperties", "minProperties"),
        "array": ("items", "minItems", "contains"),
        "string": ("pattern", "minLength", "format"),
        "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    }
    first = [kind for kind, keywords in about.items() if any(k in schema for k in keywords)]
    yield from first
    yield from (kind for kind in _TYPES if kind not in first)


def _list(schema: Schema, keyword: str) -> list[object]:
    found = schema.get(keyword)
    return found if isinstance(found, list) else []


def _mapping(schema: Schema, keyword: str) -> Mapping[str, object]:
    found = schema.get(keyword)
    return found if isinstance(found, Mapping) else {}


def _count(schema: Schema, keyword: str, otherwise: int) -> int:
    found = schema.get(keyword, otherwise)
    return int(found) if isinstance(found, int | float) else otherwise


def _number(schema: Schema, keyword: str) -> float | None:
    found = schema.get(keyword)
    return found if isinstance(found, int | float) and not isinstance(found, bool) else None
