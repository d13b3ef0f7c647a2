"""Proofs that one schema accepts all values of another, with jsonschema as the oracle."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from asyncapi_server.diff import Level, Side
from asyncapi_server.diff.schemas.compare import compare
from asyncapi_server.diff.schemas.containment import within
from diff.schemas import pair
from diff.strategies import any_schema, any_value, monotone, recursive, wider

Dict = dict[str, Any]
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


def breaks(old: Dict, new: Dict, side: Side) -> bool:
    return any(change.level is Level.BREAKING for change in compare(*pair(old, new), side, "it"))


@st.composite
def widened(draw: st.DrawFn) -> tuple[Dict, Dict]:
    """A schema and one that accepts all of its values."""
    old = draw(st.one_of(monotone(), recursive()))
    return old, draw(wider(old))


@given(widened(), st.lists(any_value(), max_size=20))
@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
def test_a_schema_that_accepts_all_old_values_breaks_no_sender(
    step: tuple[Dict, Dict], values: list[Any]
) -> None:
    old, new = step
    narrow, wide = Draft7Validator(old), Draft7Validator(new)
    assert all(wide.is_valid(value) for value in values if narrow.is_valid(value))
    assert not breaks(old, new, Side.SENDERS)


@given(widened())
@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
def test_a_schema_that_accepts_old_values_only_breaks_no_reader(step: tuple[Dict, Dict]) -> None:
    new, old = step
    assert not breaks(old, new, Side.READERS)


@given(widened(), st.lists(any_value(), max_size=40))
@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
def test_a_value_that_is_refused_or_new_is_a_break(
    step: tuple[Dict, Dict], values: list[Any]
) -> None:
    narrow, wide = step
    one, other = Draft7Validator(narrow), Draft7Validator(wide)
    if any(other.is_valid(value) and not one.is_valid(value) for value in values):
        assert breaks(wide, narrow, Side.SENDERS)
        assert breaks(narrow, wide, Side.READERS)


@st.composite
def related(draw: st.DrawFn) -> tuple[Dict, Dict]:
    """Two schemas that share parts and definitions, with any keywords."""
    one, two, node, changed = (draw(any_schema()) for _ in range(4))
    shared = draw(st.sampled_from([one, {"anyOf": [one, two]}, {"allOf": [one, two]}]))
    first = {"properties": {"x": node}, "type": "object"}
    second = draw(st.sampled_from([first, {"properties": {"x": changed}, "type": "object"}]))
    other = draw(st.sampled_from([shared, {"anyOf": [shared, two]}, two]))
    return (
        {"allOf": [shared], "definitions": {"Node": first}},
        {"allOf": [other], "definitions": {"Node": second}},
    )


@given(related(), st.lists(any_value(), min_size=20, max_size=60))
@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
def test_what_is_proven_holds_for_every_value(step: tuple[Dict, Dict], values: list[Any]) -> None:
    one, other = step
    assume(within(*pair(one, other)))
    narrow, wide = Draft7Validator(one), Draft7Validator(other)
    for value in values:
        assert wide.is_valid(value) or not narrow.is_valid(value)


def tree(text: Dict, **more: Any) -> Dict:
    """A schema of trees of texts."""
    node = {"$ref": "#/definitions/Node"}
    members = {"text": text, "below": {"type": "array", "items": node}, **more}
    return {
        **node,
        "definitions": {"Node": {"type": "object", "properties": members, "required": ["text"]}},
    }


SHORT, LONG = ({"type": "string", "maxLength": most} for most in (5, 9))


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        pytest.param(tree(SHORT), tree(LONG), id="a bound"),
        pytest.param(tree(SHORT), tree({"anyOf": [SHORT, {"type": "null"}]}), id="null"),
        pytest.param(
            {**tree(SHORT), "$ref": "#/definitions/Node/properties/below/items"},
            tree(LONG),
            id="by way of another reference",
        ),
        pytest.param(
            {**tree(SHORT), "$ref": "#/definitions/Node", "oneOf": []},
            {"oneOf": [{"$ref": "#/definitions/Node"}, {"type": "integer"}],
             "definitions": tree(LONG)["definitions"]},
            id="one alternative, apart from the other by its type",
        ),
        pytest.param(
            tree({"const": "leaf"}),
            {
                "oneOf": [
                    {"$ref": "#/definitions/Node"},
                    {"type": "object", "required": ["text"],
                     "properties": {"text": {"const": "other"}}},
                ],
                "definitions": tree({"const": "leaf"})["definitions"],
            },
            id="one alternative, apart from the other by a constant",
        ),
    ],
)  # fmt: skip
def test_schemas_that_contain_themselves_are_compared(narrow: Dict, wide: Dict) -> None:
    assert within(*pair(narrow, wide))
    assert not within(*pair(wide, narrow))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            {"anyOf": [{"const": 1}]},
            {
                "$ref": "#/definitions/A",
                "definitions": {"A": {"anyOf": [{"$ref": "#/definitions/A"}, {"const": 2}]}},
            },
            id="an alternative that is the choice itself",
        ),
        pytest.param(
            {"type": "object"},
            {
                "$ref": "#/definitions/A",
                "definitions": {
                    "A": {"allOf": [{"$ref": "#/definitions/B"}]},
                    "B": {"allOf": [{"$ref": "#/definitions/A"}, {"required": ["x"]}]},
                },
            },
            id="a part that is the whole",
        ),
    ],
)
def test_what_rests_on_itself_is_not_proven(one: Dict, other: Dict) -> None:
    assert not within(*pair(one, other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param({"const": 1}, {"oneOf": [{"const": 1}, {"const": 1.0}]}, id="1 and 1.0"),
        pytest.param(
            {"enum": [1, 2]}, {"oneOf": [{"enum": [1, 2]}, {"enum": [2, 3]}]}, id="common values"
        ),
        pytest.param({}, {"oneOf": [{}, {"type": "string"}]}, id="any value"),
    ],
)
def test_alternatives_that_overlap_exclude_what_both_accept(one: Dict, other: Dict) -> None:
    recursion = {"properties": {"x": {"$ref": "#"}}}
    narrow, wide = {**one, **recursion}, {**other, **recursion}
    assert not within(*pair(narrow, wide))
