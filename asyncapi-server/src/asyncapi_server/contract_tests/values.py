"""A hypothesis strategy for the values of a JSON Schema (draft 7).

Values are built to fit and then validated, so a keyword that the builder ignores only costs
retries. Bounds and longest texts are drawn often, as are values that the caller knows.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from asyncapi_server import pointer as jsonpointer
from asyncapi_server.document.merging import merged
from asyncapi_server.validation import validator
from asyncapi_server.validation.patterns import compiled

T = TypeVar("T")
Json = object
Values = SearchStrategy[Json]
Known = Mapping[str, Sequence[Json]]
"""Values worth trying, by the name of the property that has them."""

MAX_TEXT = 16
"""Characters of a text beyond its lower bound, except in texts at the upper bound."""
MAX_ELEMENTS = 2
"""Elements of an array beyond its lower bound, except in arrays at the upper bound."""
MAX_BOUND = 1000
"""The largest bound, in characters or elements, at which values are drawn."""
MAX_SAFE = 2**53
_CHARACTERS = st.characters(codec="utf-8")
_TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
_LARGE = (MAX_SAFE, 2**63 - 1, 2**63, 2**64, -(2**63), -(2**64))
_NAMES = ("extra", "x", "", "__proto__", "constructor", "Ünïcode", "a/b~c")
_ANY = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(_CHARACTERS, max_size=4),
    st.lists(st.integers(), max_size=2), st.dictionaries(st.just("x"), st.none(), max_size=1),
)  # fmt: skip


def values(schema: Mapping[str, object], known: Known | None = None) -> Values:
    """Values of a self-contained schema, whose references lead to its `definitions`."""
    fitting = _Builder(schema, known or {}).build(schema).filter(validator(schema).is_valid)
    return opaque(fitting)


def opaque(strategy: SearchStrategy[T]) -> SearchStrategy[T]:
    """The same strategy without the long description that hypothesis would build of it."""

    @st.composite
    def drawn(draw: st.DrawFn) -> T:
        return draw(strategy)

    return drawn()


class _Builder:
    def __init__(self, root: Mapping[str, object], known: Known) -> None:
        self._root = root
        self._known = known
        self._references: dict[str, Values] = {}

    def build(self, schema: object, name: str = "") -> Values:
        """Values that are likely to fit; `name` is the property that they are for."""
        if not isinstance(schema, Mapping):
            return st.nothing() if schema is False else _ANY
        reference = schema.get("$ref")
        if isinstance(reference, str):
            found = self._referred(reference, name)
        elif "const" in schema:
            return st.just(schema["const"])
        elif isinstance(enum := schema.get("enum"), list):
            return st.sampled_from(enum) if enum else st.nothing()
        elif choice := next((k for k in ("allOf", "anyOf", "oneOf") if k in schema), None):
            found = self._choice(schema, choice, name)
        else:
            declared = schema.get("type", list(_TYPES))
            types = declared if isinstance(declared, list) else [declared]
            found = st.one_of(*(self._typed(schema, str(t)) for t in types))
        hints = [v for v in self._known.get(name, ()) if self._fits(schema, v)]
        return st.one_of(st.sampled_from(hints), found) if hints else found

    def _referred(self, reference: str, name: str) -> Values:
        key = f"{reference} {name if name in self._known else ''}"
        if key not in self._references:
            target = jsonpointer.lookup(self._root, jsonpointer.tokens(reference.lstrip("#")))
            self._references[key] = st.deferred(lambda: self._references[f"{key}!"])
            self._references[f"{key}!"] = self.build(target, name)
        return self._references[key]

    def _choice(self, schema: Mapping[str, object], keyword: str, name: str) -> Values:
        """Values of a schema with alternatives or parts, merged with the keywords around them."""
        parts = schema[keyword]
        rest = {k: v for k, v in schema.items() if k != keyword and k not in ("definitions",)}
        if not isinstance(parts, list):
            return st.nothing()
        if keyword == "allOf":
            whole: Mapping[str, object] = rest
            for part in parts:
                whole = merged(whole, part, self._root)
            return self.build(whole, name)
        return st.one_of(*(self.build(merged(rest, part, self._root), name) for part in parts))

    def _fits(self, schema: Mapping[str, object], value: Json) -> bool:
        whole = {"allOf": [schema], "definitions": self._root.get("definitions", {})}
        return validator(whole).is_valid(value)

    def _typed(self, schema: Mapping[str, object], kind: str) -> Values:
        if kind == "null":
            return st.none()
        if kind == "boolean":
            return st.booleans()
        if kind == "string":
            return _texts(schema)
        if kind == "array":
            return self._arrays(schema)
        return self._objects(schema) if kind == "object" else _numbers(schema, kind == "integer")

    def _arrays(self, schema: Mapping[str, object]) -> Values:
        items = schema.get("items", True)
        least = _count(schema, "minItems", 0)
        most = _count(schema, "maxItems", least + MAX_ELEMENTS)
        if isinstance(items, list):
            rest = schema.get("additionalItems", True)
            parts = [self.build(item) for item in (*items, *[rest] * max(0, least - len(items)))]
            return st.tuples(*parts).map(list)
        size = min(most, least + MAX_ELEMENTS)
        if size < least or _is_never(items):
            return st.nothing() if least or size < least else st.just([])
        element = self.build(items)
        if schema.get("uniqueItems") is True:
            # Opaque, since hypothesis refuses to search for more elements than it can count.
            return st.lists(opaque(element), min_size=least, max_size=size, unique_by=_canonical)
        usual = st.lists(element, min_size=least, max_size=size)
        if "maxItems" not in schema or not size < most <= MAX_BOUND:
            return usual
        full = element.map(lambda value: [value] * most)
        return st.one_of(usual, usual, usual, usual, full)

    def _objects(self, schema: Mapping[str, object]) -> Values:
        declared = schema.get("properties", {})
        properties = declared if isinstance(declared, Mapping) else {}
        required = schema.get("required", [])
        names = [str(n) for n in required] if isinstance(required, list) else []
        rest = schema.get("additionalProperties", True)
        needed = {n: self.build(properties.get(n, rest), n) for n in names}
        optional = {
            n: self.build(s, n) for n, s in properties.items() if not (n in needed or _is_never(s))
        }
        usual = st.fixed_dictionaries(needed, optional=optional)
        if _is_never(rest):
            return usual
        others = self.build(rest)
        least = _count(schema, "minProperties", 0)
        most = max(_count(schema, "maxProperties", MAX_ELEMENTS), least)
        free = st.text(_CHARACTERS, max_size=4) if least > len(_NAMES) else st.nothing()
        extra = st.dictionaries(
            st.one_of(st.sampled_from(_NAMES), free, self._property_names(schema)),
            others,
            min_size=max(0, least - len(properties)),
            max_size=min(most, max(least, MAX_ELEMENTS)),
        )
        more = st.tuples(extra, usual).map(lambda pair: {**pair[0], **pair[1]})
        return more if not properties or least > len(needed) else st.one_of(usual, usual, more)

    def _property_names(self, schema: Mapping[str, object]) -> SearchStrategy[str]:
        declared = schema.get("propertyNames")
        return _texts(declared).map(str) if isinstance(declared, Mapping) else st.nothing()


def _is_never(schema: object) -> bool:
    """Whether a schema says itself that it has no value.

    Strategies are not asked, since one that refers to itself is not ready to be.
    """
    return schema is False or (isinstance(schema, Mapping) and schema.get("not") in ({}, True))


def _texts(schema: Mapping[str, object]) -> Values:
    least = _count(schema, "minLength", 0)
    most = _count(schema, "maxLength", least + MAX_TEXT)
    pattern = schema.get("pattern")
    if least > most:
        return st.nothing()
    if isinstance(pattern, str):
        fits = validator({k: schema[k] for k in _TEXT_KEYWORDS if k in schema}).is_valid
        whole = _ANCHORED.fullmatch(pattern)
        try:
            expression = compiled(whole[1] if whole else pattern)
        except ValueError:  # it is written otherwise in Python
            return st.nothing()
        # A full match is cheaper than one with text around it.
        found = st.from_regex(expression, fullmatch=whole is not None, alphabet=_CHARACTERS)
        return found.filter(fits)
    usual = st.text(_CHARACTERS, min_size=least, max_size=min(most, least + MAX_TEXT))
    if "maxLength" not in schema or most > MAX_BOUND:
        return usual
    # Two UTF-16 units each: lengths are counted in code points.
    return st.one_of(usual, usual, st.sampled_from(["x" * most, "𝄞" * most]))


_ANCHORED = re.compile(r"\^([^|\\]*)\$")
"""A pattern for the whole text; one with alternatives or escapes may not be."""
_TEXT_KEYWORDS = ("pattern", "minLength", "maxLength")


def _numbers(schema: Mapping[str, object], whole: bool) -> Values:
    low, high = _bound(schema, "minimum", -math.inf), _bound(schema, "maximum", math.inf)
    low = max(low, _bound(schema, "exclusiveMinimum", -math.inf))
    high = min(high, _bound(schema, "exclusiveMaximum", math.inf))
    step = schema.get("multipleOf")
    if isinstance(step, int) and step > 0:
        integers = _integers(_ceil(low, step), _floor(high, step)).map(lambda n: n * step)
    else:
        integers = _integers(_ceil(low, 1), _floor(high, 1))
    if whole:
        # JSON Schema's integers may be written with a fraction of zero.
        return st.one_of(integers, integers, integers, integers.map(_with_point))
    if low > high:
        return st.nothing()
    bounds = [b for b in (low, high) if math.isfinite(b)]
    edge = st.sampled_from(bounds) if bounds else st.nothing()
    least, most = (None if math.isinf(b) else float(b) for b in (low, high))
    return st.one_of(integers, edge, st.floats(least, most, allow_nan=False, allow_infinity=False))


def _integers(low: int | None, high: int | None) -> SearchStrategy[int]:
    if low is not None and high is not None and low > high:
        return st.nothing()
    edges = [n for n in (low, high, *_LARGE) if n is not None]
    edges = [n for n in edges if (low is None or n >= low) and (high is None or n <= high)]
    found = st.integers(low, high)
    return st.one_of(found, found, st.sampled_from(edges)) if edges else found


def _with_point(number: int) -> int | float:
    return float(number) if abs(number) <= MAX_SAFE else number


def _ceil(bound: float, step: int) -> int | None:
    return None if math.isinf(bound) else math.ceil(bound / step if step > 1 else bound)


def _floor(bound: float, step: int) -> int | None:
    return None if math.isinf(bound) else math.floor(bound / step if step > 1 else bound)


def _bound(schema: Mapping[str, object], keyword: str, otherwise: float) -> float:
    found = schema.get(keyword, otherwise)
    return found if isinstance(found, int | float) and not isinstance(found, bool) else otherwise


def _count(schema: Mapping[str, object], keyword: str, otherwise: int) -> int:
    found = schema.get(keyword, otherwise)
    return int(found) if isinstance(found, int | float) else otherwise


def _canonical(value: Json) -> str:
    """Equal JSON values as equal text: 1.0 is 1."""
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_plain(element) for element in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
