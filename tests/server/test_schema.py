"""jsonschema-rs, as the edge uses it, against the reference validator."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import jsonschema
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.rest.app import load_document
from server.rest.parameters import ParameterError, Parameters
from server.rest.schema import MAX_DETAIL_CHARACTERS, MAX_DETAILS, compile_schema, faults, to_draft4
from tests.server.conftest import SMALL_API

INT64 = 2**63
SYMBOL = {"type": "string", "pattern": "^[A-Z0-9]{2,20}$", "minLength": 2, "maxLength": 20}
SCHEMAS: list[dict[str, Any]] = [
    {"type": "integer", "format": "int64"},
    {"type": "integer", "format": "int32", "minimum": 0},
    {"type": "integer", "minimum": 1, "maximum": 10_000},
    {"type": "integer", "minimum": 0, "exclusiveMinimum": True},
    {"type": "number", "maximum": 1, "exclusiveMaximum": True, "multipleOf": 1},
    {"type": "string", "nullable": True, "enum": ["a", None]},
    {"type": "string", "nullable": True, "maxLength": 3},
    {"type": "boolean", "enum": [True]},
    SYMBOL,
    {"type": "array", "items": SYMBOL, "uniqueItems": True, "maxItems": 3},
    {"oneOf": [{"type": "integer"}, {"type": "number", "maximum": 5}]},
    {"allOf": [{"required": ["a"]}, {"properties": {"a": {"not": {"type": "string"}}}}]},
    {
        "type": "object",
        "required": ["id"],
        "additionalProperties": False,
        "properties": {
            "id": {"type": "integer", "format": "int64"},
            "note": {"type": "string", "nullable": True, "maxLength": 3},
        },
    },
    {"type": "object", "additionalProperties": {"type": "integer", "nullable": True}},
]

edges = st.sampled_from([0, 1, -1, INT64 - 1, INT64, -INT64, -INT64 - 1, 2**31, 2**31 - 1, 10_000])
scalars = st.one_of(
    st.none(),
    st.booleans(),
    edges,
    st.integers(-(2**64), 2**64),
    st.floats(-1e6, 1e6, allow_nan=False),
    st.sampled_from(["a", "BTCUSDT", "BTCUSDT\n", "btc", "", "A", "A" * 21, "é" * 3, "\U0001f600"]),
    st.text(max_size=5).filter(lambda text: text.isprintable()),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["id", "note", "a", "more"]), inner, max_size=4),
    ),
    max_leaves=6,
)


def whole_text(_: object, pattern: str, instance: object, __: object) -> Iterator[Exception]:
    """`pattern` as ECMA 262 has it: `$` is the end, never a place before a last line break."""
    if isinstance(instance, str) and not re.search(pattern.replace("$", r"\Z"), instance):
        yield jsonschema.ValidationError("no match")


Reference = jsonschema.validators.extend(  # type: ignore[no-untyped-call]  # has no types
    jsonschema.Draft4Validator, {"pattern": whole_text}
)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_both_validators_have_the_same_verdicts(schema: dict[str, Any]) -> None:
    ours = compile_schema(schema)
    reference = Reference(to_draft4(schema))

    @given(values)
    def same(value: object) -> None:
        assert ours.is_valid(value) == reference.is_valid(value)
        assert bool(faults(ours, value, "body")) != ours.is_valid(value)

    same()


def test_the_bounds_of_integers_are_the_tightest_that_are_given() -> None:
    assert to_draft4({"type": "integer", "format": "int64", "maximum": 10}) == {
        "type": "integer", "format": "int64", "minimum": -INT64, "maximum": 10,
    }  # fmt: skip
    assert to_draft4({"type": "string", "format": "int64"}) == {"type": "string", "format": "int64"}


def test_a_property_may_be_named_like_a_keyword() -> None:
    schema = {"properties": {"nullable": {"type": "string"}, "example": {"type": "integer"}}}
    validator = compile_schema(schema)
    assert not validator.is_valid({"nullable": 1})
    assert not validator.is_valid({"example": "x"})


def test_details_are_bounded() -> None:
    validator = compile_schema({"type": "array", "items": {"type": "integer"}})
    found = faults(validator, ["x" * 10_000] * 1000, "body")
    assert len(found) == MAX_DETAILS
    assert max(len(one.message) for one in found) <= MAX_DETAIL_CHARACTERS


DEFINITIONS = load_document(SMALL_API)["paths"]["/trades/{symbol}"]["get"]["parameters"]


@given(st.binary(max_size=60))
def test_no_query_breaks_the_reader(query: bytes) -> None:
    try:
        read = Parameters(DEFINITIONS).read({"symbol": "BTCUSDT"}, query)
    except ParameterError as error:
        refused = [detail.message for detail in error.details]
    else:
        refused = []
        assert read["symbol"] == "BTCUSDT"
    assert orjson.dumps(refused)


@given(st.integers(1, 10_000), st.integers(0, INT64 - 1), st.booleans())
def test_what_is_valid_is_read_exactly(limit: int, from_id: int, newest: bool) -> None:
    query = f"limit={limit}&from_id={from_id}&newest={str(newest).lower()}".encode()
    assert Parameters(DEFINITIONS).read({"symbol": "AB"}, query) == {
        "symbol": "AB", "limit": limit, "from_id": from_id, "newest": newest,
    }  # fmt: skip


def test_decimals_are_validated_as_the_numbers_that_they_are() -> None:
    validator = compile_schema({"type": "number", "minimum": 0})
    assert validator.is_valid(Decimal("43245.1"))
    assert not validator.is_valid(Decimal("-0.00000001"))
