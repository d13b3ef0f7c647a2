"""The effect of each change of a schema on clients, for values they send and values they get."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from asyncapi_server.contract_tests.values import values
from scripts.compat.changes import Change, Direction, Level
from scripts.compat.schema_changes import compare
from scripts.compat.schemas import Effect, Schema, effect, within

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


def schema(value: Any) -> Schema:
    return Schema.whole(value)


def changes(old: Any, new: Any, direction: Direction) -> list[Change]:
    return compare(schema(old), schema(new), direction, "it")


def breaks(old: Any, new: Any, direction: Direction) -> bool:
    return any(change.level is Level.BREAKING for change in changes(old, new, direction))


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
    assert not breaks(narrow, wide, Direction.CLIENT)
    assert changes(narrow, wide, Direction.CLIENT)
    assert breaks(wide, narrow, Direction.CLIENT)


@pytest.mark.parametrize(("narrow", "wide"), WIDER)
def test_what_clients_get_may_only_narrow(narrow: Dict, wide: Dict) -> None:
    assert breaks(narrow, wide, Direction.SERVER)
    if "b" not in wide.get("properties", {}):  # removing a property is another rule
        assert not breaks(wide, narrow, Direction.SERVER)
        assert changes(wide, narrow, Direction.SERVER)


@pytest.mark.parametrize("direction", Direction)
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
def test_what_is_neither_wider_nor_narrower_breaks_both(
    old: Dict, new: Dict, direction: Direction
) -> None:
    assert breaks(old, new, direction)


@pytest.mark.parametrize("direction", Direction)
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
def test_another_way_of_writing_changes_words_only(
    old: Dict, new: Dict, direction: Direction
) -> None:
    assert {change.level for change in changes(old, new, direction)} <= {Level.WORDS}


def test_a_new_property_of_an_open_reply_breaks_nobody() -> None:
    (change,) = changes(OPEN, {**OPEN, **WITH_B}, Direction.SERVER)
    assert (change.level, change.place) == (Level.COMPATIBLE, "it/b")


def test_a_new_required_property_of_a_request_breaks() -> None:
    new = {**CLOSED, **WITH_B, "required": ["b"]}
    assert breaks(CLOSED, new, Direction.CLIENT)


def test_a_default_is_part_of_what_a_request_means() -> None:
    old, new = ({"properties": {"n": {"default": n}}} for n in (1, 2))
    (change,) = changes(old, new, Direction.CLIENT)
    assert (change.level, change.place) == (Level.BREAKING, "it/n")
    assert not breaks(old, new, Direction.SERVER)


def test_a_change_is_reported_with_its_place() -> None:
    def document(most: int) -> Dict:
        item = {"type": "object", "properties": {"symbol": {**TEXT, "maxLength": most}}}
        items = {"type": "array", "items": {"$ref": "#/definitions/Item"}}
        return {"properties": {"wanted": items}, "definitions": {"Item": item}}

    (change,) = changes(document(20), document(10), Direction.CLIENT)
    assert change.place == "it/wanted/[]/symbol"
    assert change.what == "maxLength 20 becomes maxLength 10"
    assert change.why == "some of what clients may send is refused now"


def test_a_recursive_schema_is_compared() -> None:
    def tree(value: Dict) -> Dict:
        node = {"properties": {"value": value, "next": {"$ref": "#/definitions/Node"}}}
        return {"$ref": "#/definitions/Node", "definitions": {"Node": node}}

    assert not changes(tree(INTEGER), tree(INTEGER), Direction.CLIENT)
    (change,) = [
        c
        for c in changes(tree({"type": "number"}), tree(INTEGER), Direction.CLIENT)
        if "/" in c.place
    ]
    assert (change.level, change.place) == (Level.BREAKING, "it/value")


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


@given(any_schema(), st.sampled_from(Direction))
@settings(deadline=None)
def test_a_schema_has_no_change_from_itself(value: Dict, direction: Direction) -> None:
    assert changes(value, value, direction) == []


@given(steps(), st.data())
@settings(
    max_examples=60,
    deadline=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
def test_what_is_called_narrower_is_refused_nowhere(step: tuple[Dict, Dict], data: Any) -> None:
    one, other = step
    assume(within(schema(one), schema(other)))
    strategy = values(one)
    assume(not strategy.is_empty)
    value = data.draw(strategy)
    assume(Draft7Validator(one).is_valid(value))
    assert Draft7Validator(other).is_valid(value)


@given(steps(), st.sampled_from(Direction))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_step_that_may_refuse_or_surprise_goes_unnoticed(
    step: tuple[Dict, Dict], direction: Direction
) -> None:
    old, new = step
    allowed = Effect.WIDER if direction is Direction.CLIENT else Effect.NARROWER
    found = effect(schema(old), schema(new))
    if found not in (Effect.SAME, allowed):
        assert breaks(old, new, direction)


DATE = {**TEXT, "format": "date"}


@pytest.mark.parametrize("direction", Direction)
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
def test_what_is_not_modelled_breaks_both(old: Dict, new: Dict, direction: Direction) -> None:
    assert breaks(old, new, direction)
    assert breaks(new, old, direction) or "properties" in str(old)


@pytest.mark.parametrize("direction", Direction)
def test_alternatives_may_stand_in_any_order(direction: Direction) -> None:
    old, new = ({"anyOf": order} for order in ([DATE, INTEGER, TEXT], [TEXT, DATE, INTEGER]))
    assert {change.level for change in changes(old, new, direction)} <= {Level.WORDS}


def test_an_alternative_brings_its_format() -> None:
    old, new = {"anyOf": [INTEGER]}, {"anyOf": [INTEGER, DATE]}
    assert not breaks(old, new, Direction.CLIENT)
    assert not breaks(new, old, Direction.SERVER)


@pytest.mark.parametrize(
    ("mark", "writer"), [("readOnly", Direction.CLIENT), ("writeOnly", Direction.SERVER)]
)
def test_a_field_of_one_direction_is_lost_to_the_other(mark: str, writer: Direction) -> None:
    for direction in Direction:
        assert breaks(INTEGER, {**INTEGER, mark: True}, direction) is (direction is writer)
        assert not breaks({**INTEGER, mark: True}, INTEGER, direction)


def test_a_default_of_null_is_no_missing_default() -> None:
    assert breaks({}, {"default": None}, Direction.CLIENT)
