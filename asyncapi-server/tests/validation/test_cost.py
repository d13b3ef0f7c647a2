"""Schemas that would take too long, or forever, are refused before an engine compiles them."""

from __future__ import annotations

from typing import Any

import pytest

from asyncapi_server.validation import CannotValidate, validator
from asyncapi_server.validation.cost import MAX_COST


def refer(name: str) -> dict[str, Any]:
    return {"$ref": f"#/definitions/{name}"}


@pytest.mark.parametrize(
    "part",
    [
        refer("a"),
        {"allOf": [refer("a")]},
        {"anyOf": [{"type": "string"}, {"not": refer("a")}]},
        {"if": True, "then": refer("b")},
        {"dependencies": {"x": ["y"], "y": refer("b")}},
    ],
)
def test_a_schema_that_leads_back_to_itself_for_the_same_value_is_not_valid(part: Any) -> None:
    definitions = {"a": part, "b": {"oneOf": [refer("a")]}}
    with pytest.raises(ValueError, match=r"leads back to itself .*: (a|b) -> ") as caught:
        validator({**refer("a"), "definitions": definitions})
    assert not isinstance(caught.value, CannotValidate)


@pytest.mark.parametrize(
    "part",
    [
        {"properties": {"next": refer("a")}},
        {"allOf": [{"items": refer("a")}]},
        {"anyOf": [{"type": "string"}, {"additionalProperties": refer("a")}]},
        {"allOf": [refer("b"), refer("b")]},
        {"$ref": "#/definitions/b", "allOf": [refer("a")]},  # what is beside $ref does not count
    ],
)
def test_a_schema_of_its_own_members_is(part: Any) -> None:
    judge = validator(
        {**refer("a"), "definitions": {"a": part, "b": {"type": ["object", "array"]}}}
    )
    assert judge.is_valid({})


@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf"])
@pytest.mark.parametrize("below", [None, "properties", "items"])
def test_what_grows_with_each_definition_is_too_costly(keyword: str, below: str | None) -> None:
    def made(levels: int) -> dict[str, Any]:
        definitions = {f"s{n}": {keyword: [refer(f"s{n + 1}")] * 2} for n in range(levels)}
        start = refer("s0")
        if below is not None:
            start = {"allOf": [{below: {"x": start} if below == "properties" else start}]}
        return {**start, "definitions": {**definitions, f"s{levels}": {"type": "string"}}}

    levels = MAX_COST.bit_length() - 4
    assert validator(made(levels)).is_valid is not None
    with pytest.raises(CannotValidate, match=str(MAX_COST)):
        validator(made(levels + 4))
