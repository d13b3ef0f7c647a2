"""The effect of each change of a schema on clients, for values they send and values they get."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asyncapi_server.diff import Change, Level, Side
from asyncapi_server.diff.schemas.compare import compare
from asyncapi_server.diff.schemas.effects import ALLOWED, Effect, effect
from diff.schemas import pair

Dict = dict[str, Any]

INTEGER = {"type": "integer"}
TEXT = {"type": "string"}
CLOSED: Dict = {"type": "object", "additionalProperties": False, "properties": {"a": INTEGER}}
OPEN: Dict = {"type": "object", "properties": {"a": INTEGER}}
WITH_B = {"properties": {"a": INTEGER, "b": TEXT}}
POINT: Dict = {
    "type": "object",
    "required": ["x"],
    "properties": {"x": {"$ref": "#/definitions/X"}},
}


def changes(old: Any, new: Any, side: Side) -> list[Change]:
    return compare(*pair(old, new), side, "it")


def breaks(old: Any, new: Any, side: Side) -> bool:
    return any(change.level is Level.BREAKING for change in changes(old, new, side))


WIDER = [
    pytest.param({"type": "integer"}, {"type": "number"}, id="type"),
    pytest.param(INTEGER, {"type": ["integer", "null"]}, id="null as a type"),
    pytest.param(INTEGER, {"anyOf": [INTEGER, {"type": "null"}]}, id="null by anyOf"),
    pytest.param(INTEGER, {"oneOf": [INTEGER, {"type": "null"}]}, id="null by oneOf"),
    pytest.param({"anyOf": [INTEGER]}, {"anyOf": [INTEGER, TEXT]}, id="an alternative more"),
    pytest.param({"enum": ["a"]}, {"enum": ["a", "b"]}, id="a value more"),
    pytest.param({"const": "a"}, {"enum": ["a", "b"]}, id="a constant and a value more"),
    pytest.param({"minimum": 2}, {"minimum": 1}, id="minimum"),
    pytest.param({"minimum": 2}, {}, id="no minimum"),
    pytest.param({"exclusiveMinimum": 1}, {"minimum": 1}, id="the bound itself, below"),
    pytest.param({"maximum": 2}, {"maximum": 3}, id="maximum"),
    pytest.param({"exclusiveMaximum": 3}, {"maximum": 3}, id="the bound itself, above"),
    pytest.param({"multipleOf": 4}, {"multipleOf": 2}, id="multipleOf"),
    pytest.param({"minLength": 2}, {"minLength": 1}, id="minLength"),
    pytest.param({"maxLength": 2}, {"maxLength": 3}, id="maxLength"),
    pytest.param({**TEXT, "pattern": "^a+$"}, TEXT, id="no pattern"),
    pytest.param({"minItems": 2}, {"minItems": 1}, id="minItems"),
    pytest.param({"maxItems": 2}, {"maxItems": 3}, id="maxItems"),
    pytest.param({"uniqueItems": True}, {}, id="uniqueItems"),
    pytest.param({"items": {"minimum": 2}}, {"items": {"minimum": 1}}, id="items"),
    pytest.param({**OPEN, "required": ["a"]}, OPEN, id="not required"),
    pytest.param({"minProperties": 2}, {"minProperties": 1}, id="minProperties"),
    pytest.param(CLOSED, {**CLOSED, **WITH_B}, id="a property more of a closed object"),
    pytest.param(CLOSED, OPEN, id="open"),
    pytest.param(
        {"additionalProperties": INTEGER},
        {"additionalProperties": {"type": "number"}},
        id="what is at unnamed properties",
    ),
    pytest.param(
        {**POINT, "definitions": {"X": INTEGER}},
        {**POINT, "definitions": {"X": {"type": "number"}}},
        id="behind a reference",
    ),
    pytest.param(
        {"allOf": [OPEN, {"required": ["a"]}]}, {"allOf": [OPEN, {}]}, id="one part of allOf"
    ),
]
"""Pairs of a schema and a wider one."""


@pytest.mark.parametrize(("narrow", "wide"), WIDER)
def test_what_clients_send_may_only_widen(narrow: Dict, wide: Dict) -> None:
    assert not breaks(narrow, wide, Side.SENDERS)
    assert changes(narrow, wide, Side.SENDERS)
    assert breaks(wide, narrow, Side.SENDERS)


@pytest.mark.parametrize(("narrow", "wide"), WIDER)
def test_what_clients_get_may_only_narrow(narrow: Dict, wide: Dict) -> None:
    assert breaks(narrow, wide, Side.READERS)
    if "b" not in wide.get("properties", {}):  # removing a property is another rule
        assert not breaks(wide, narrow, Side.READERS)
        assert changes(wide, narrow, Side.READERS)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param({**TEXT, "pattern": "^a"}, {**TEXT, "pattern": "^[a]"}, id="pattern"),
        pytest.param({"minimum": 1, "maximum": 3}, {"minimum": 2, "maximum": 4}, id="moved"),
        pytest.param(INTEGER, TEXT, id="type"),
        pytest.param({"enum": ["a", "b"]}, {"enum": ["b", "c"]}, id="enum"),
        pytest.param({**INTEGER, "format": "int32"}, {**INTEGER, "format": "date"}, id="format"),
        pytest.param({**OPEN, **WITH_B}, OPEN, id="a property of an open object is gone"),
        pytest.param({**CLOSED, **WITH_B}, CLOSED, id="a property of a closed object is gone"),
    ],
)
def test_what_is_neither_wider_nor_narrower_breaks_both(old: Dict, new: Dict, side: Side) -> None:
    assert breaks(old, new, side)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param({"type": ["integer", "null"]}, {"type": ["null", "integer"]}, id="order"),
        pytest.param(
            {"type": ["integer", "null"]},
            {"anyOf": [INTEGER, {"type": "null"}]},
            id="the same null, written in another way",
        ),
        pytest.param({"const": 1}, {"enum": [1]}, id="a constant as an enum"),
        pytest.param(
            {"properties": {"x": INTEGER}},
            {"properties": {"x": {"$ref": "#/definitions/X"}}, "definitions": {"X": INTEGER}},
            id="a schema got a name",
        ),
    ],
)
def test_another_way_of_writing_changes_words_only(old: Dict, new: Dict, side: Side) -> None:
    assert {change.level for change in changes(old, new, side)} <= {Level.WORDS}


def test_a_new_property_of_an_open_reply_breaks_nobody() -> None:
    (change,) = changes(OPEN, {**OPEN, **WITH_B}, Side.READERS)
    assert (change.level, change.where) == (Level.COMPATIBLE, "it/b")


def test_a_new_required_property_of_a_request_breaks() -> None:
    new = {**CLOSED, **WITH_B, "required": ["b"]}
    assert breaks(CLOSED, new, Side.SENDERS)


def test_a_default_is_part_of_what_a_request_means() -> None:
    old, new = ({"properties": {"n": {"default": n}}} for n in (1, 2))
    (change,) = changes(old, new, Side.SENDERS)
    assert (change.level, change.where) == (Level.BREAKING, "it/n")
    assert not breaks(old, new, Side.READERS)


def test_a_change_is_reported_with_its_place() -> None:
    def document(most: int) -> Dict:
        item = {"type": "object", "properties": {"symbol": {**TEXT, "maxLength": most}}}
        items = {"type": "array", "items": {"$ref": "#/definitions/Item"}}
        return {"properties": {"wanted": items}, "definitions": {"Item": item}}

    (change,) = changes(document(20), document(10), Side.SENDERS)
    assert change.where == "it/wanted/[]/symbol"
    assert change.what == "maxLength 20 becomes maxLength 10"
    assert change.why == "some of what clients may send is refused now"


def test_a_recursive_schema_is_compared() -> None:
    def tree(value: Dict) -> Dict:
        node = {"properties": {"value": value, "next": {"$ref": "#/definitions/Node"}}}
        return {"$ref": "#/definitions/Node", "definitions": {"Node": node}}

    assert not changes(tree(INTEGER), tree(INTEGER), Side.SENDERS)
    (change,) = [
        c for c in changes(tree({"type": "number"}), tree(INTEGER), Side.SENDERS) if "/" in c.where
    ]
    assert (change.level, change.where) == (Level.BREAKING, "it/value")


BOUNDS = st.integers(0, 4)


def any_schema() -> st.SearchStrategy[Dict]:
    """Schemas of a small grammar with every keyword that our documents use."""
    leaves = st.one_of(
        st.fixed_dictionaries(
            {"type": st.sampled_from(["integer", "number", ["integer", "null"]])},
            optional={
                "minimum": BOUNDS,
                "maximum": BOUNDS.map(lambda n: n + 4),
                "exclusiveMinimum": BOUNDS,
                "multipleOf": st.integers(1, 3),
            },
        ),
        st.fixed_dictionaries(
            {"type": st.just("string")},
            optional={
                "minLength": BOUNDS,
                "maxLength": BOUNDS.map(lambda n: n + 2),
                "pattern": st.sampled_from(["^[ab]{0,9}$", "^[a-c]+$", "b"]),
            },
        ),
        st.lists(
            st.sampled_from(["a", "b", 1, None, True]), min_size=1, max_size=3, unique=True
        ).map(lambda listed: {"enum": listed}),
        st.just({"type": "null"}),
        st.booleans().map(lambda allowed: {} if allowed else {"type": "boolean"}),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.fixed_dictionaries(
                {
                    "type": st.just("object"),
                    "properties": st.dictionaries(st.sampled_from("xyz"), inner, max_size=2),
                },
                optional={
                    "required": st.lists(st.sampled_from("xyz"), max_size=2, unique=True),
                    "additionalProperties": st.one_of(st.booleans(), inner),
                },
            ),
            st.fixed_dictionaries(
                {"type": st.just("array"), "items": inner},
                optional={
                    "minItems": st.integers(0, 2),
                    "maxItems": st.integers(1, 3),
                    "uniqueItems": st.booleans(),
                },
            ),
            st.lists(inner, min_size=1, max_size=2).map(lambda parts: {"anyOf": parts}),
            st.lists(inner, min_size=1, max_size=2).map(lambda parts: {"oneOf": parts}),
            st.lists(inner, min_size=1, max_size=2).map(lambda parts: {"allOf": parts}),
        ),
        max_leaves=5,
    )


@st.composite
def steps(draw: st.DrawFn) -> tuple[Dict, Dict]:
    """A schema, and the same with one part replaced: most such pairs are comparable."""
    old = draw(any_schema())
    return old, draw(_changed(old))


def _changed(schema: Any) -> st.SearchStrategy[Any]:
    """The schema with one of its parts or bounds replaced or left out."""
    if not isinstance(schema, dict):
        return any_schema()
    options = [any_schema()]
    for keyword, value in schema.items():
        if keyword in ("items", "additionalProperties"):
            options.append(_with(schema, keyword, _changed(value)))
        elif keyword == "properties":
            parts = [_with(value, name, _changed(part)) for name, part in value.items()]
            options.extend(_with(schema, keyword, part) for part in parts)
        elif isinstance(value, int) and not isinstance(value, bool):
            options.append(_with(schema, keyword, st.integers(1, 6)))
        if keyword != "type":
            options.append(st.just({k: v for k, v in schema.items() if k != keyword}))
    return st.one_of(options)


def _with(value: Dict, name: str, member: st.SearchStrategy[Any]) -> st.SearchStrategy[Dict]:
    return member.map(lambda changed: {**value, name: changed})


@given(any_schema(), st.sampled_from(Side))
@settings(deadline=None)
def test_a_schema_has_no_change_from_itself(value: Dict, side: Side) -> None:
    assert changes(value, value, side) == []


@given(steps(), st.sampled_from(Side))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_step_that_may_refuse_or_surprise_goes_unnoticed(
    step: tuple[Dict, Dict], side: Side
) -> None:
    old, new = step
    if effect(*pair(old, new)) not in (Effect.SAME, ALLOWED[side]):
        assert breaks(old, new, side)


DATE = {**TEXT, "format": "date"}


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(DATE, {**DATE, "contentEncoding": "base64"}, id="a keyword of its own"),
        pytest.param(DATE, {"anyOf": [TEXT]}, id="a format that a choice loses"),
        pytest.param(
            {"anyOf": [DATE, INTEGER]}, {"oneOf": [TEXT, INTEGER]}, id="format, regrouped"
        ),
        pytest.param(
            {"anyOf": [DATE, INTEGER]},
            {"anyOf": [TEXT, {**INTEGER, "format": "date"}]},
            id="a format that moves to another alternative",
        ),
        pytest.param({"not": DATE}, {"not": TEXT}, id="a format below not"),
        pytest.param({"enum": [1]}, {"enum": [True]}, id="1 and true"),
        pytest.param({"contains": DATE}, {"contains": TEXT}, id="a format below contains"),
        pytest.param(
            {"patternProperties": {"^a": DATE}},
            {"patternProperties": {"^a": TEXT}},
            id="a format below patternProperties",
        ),
        pytest.param(
            {"$ref": "#/definitions/X", "definitions": {"X": INTEGER}},
            {"$ref": "#/definitions/X", "nullable": True, "definitions": {"X": INTEGER}},
            id="a keyword beside a reference",
        ),
        pytest.param(
            {"additionalProperties": {"x-more": 1}}, {}, id="an extension that any value stands for"
        ),
        pytest.param(
            {"allOf": [{"properties": {"a": {}}}, {}]},
            {"anyOf": [{}, {}]},
            id="a property of any value, lost in a choice",
        ),
    ],
)
def test_what_is_not_modelled_breaks_both(old: Dict, new: Dict, side: Side) -> None:
    assert breaks(old, new, side)
    assert breaks(new, old, side) or "properties" in str(old)


@pytest.mark.parametrize("side", Side)
def test_alternatives_may_stand_in_any_order(side: Side) -> None:
    old, new = ({"anyOf": order} for order in ([DATE, INTEGER, TEXT], [TEXT, DATE, INTEGER]))
    assert {change.level for change in changes(old, new, side)} <= {Level.WORDS}


def test_an_alternative_brings_its_format() -> None:
    old, new = {"anyOf": [INTEGER]}, {"anyOf": [INTEGER, DATE]}
    assert not breaks(old, new, Side.SENDERS)
    assert not breaks(new, old, Side.READERS)


@pytest.mark.parametrize(
    ("mark", "writer"), [("readOnly", Side.SENDERS), ("writeOnly", Side.READERS)]
)
def test_a_field_of_one_direction_is_lost_to_the_other(mark: str, writer: Side) -> None:
    for side in Side:
        assert breaks(INTEGER, {**INTEGER, mark: True}, side) is (side is writer)
        assert not breaks({**INTEGER, mark: True}, INTEGER, side)


def test_a_default_of_null_is_no_missing_default() -> None:
    assert breaks({}, {"default": None}, Side.SENDERS)
