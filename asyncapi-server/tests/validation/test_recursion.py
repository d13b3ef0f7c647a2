"""Faults of values of recursive schemas take bounded time."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncapi_server import load_document
from asyncapi_server.validation import VARIABLE, Validator, validator
from asyncapi_server.validation.recursion import DEEPER, unrolled
from support.rooms import DOCUMENTS

[CHANNEL] = load_document(DOCUMENTS / "suite" / "grammar-3.1.yaml").channels.values()
SCHEMA = next(message.schema for message in CHANNEL.receives if message.name == "evaluate")
MAX_SECONDS = 1.0
"""Of processor time; it takes some milliseconds."""


@pytest.fixture(params=["fast", "reference"])
def judge(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Validator:
    monkeypatch.setenv(VARIABLE, request.param)
    return validator(SCHEMA)


def nested(levels: int, leaf: object) -> dict[str, Any]:
    """A request that is nested so deeply, with a leaf."""
    value = leaf
    for _ in range(levels):
        value = {"op": "let", "values": {}, "body": {"op": "if", "if": 1, "then": value}}
    return {"evaluate": value}


@pytest.mark.parametrize("levels", [1, 5, 20])
def test_a_fault_that_is_nested_deeply_is_found_soon(judge: Validator, levels: int) -> None:
    value = nested(levels, {"op": "unknown"})
    assert judge.is_valid(nested(levels, 1))
    assert not judge.is_valid(value)
    began = time.process_time()
    assert judge.first(value) == DEEPER
    assert list(judge.faults(value)) == [DEEPER]
    assert time.process_time() - began < MAX_SECONDS


def test_a_fault_at_the_top_is_explained(judge: Validator) -> None:
    fault = judge.first({"evaluate": {"op": "unknown"}})
    assert fault is not None
    assert (fault.path, len(fault.alternatives)) == (("evaluate",), 11)
    assert not any("@" in str(step) for branch in fault.alternatives for step in branch)


leaves = st.one_of(st.integers(), st.none(), st.sampled_from(["add", "x"]))
nodes = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda name: {"op": "var", "name": name}, inner),
        st.builds(lambda arg: {"op": "neg", "arg": arg}, inner),
        st.builds(lambda *args: {"op": "add", "args": list(args)}, inner, inner),
        st.lists(inner, max_size=2),
    ),
    max_leaves=6,
)


@given(nodes)
def test_there_is_a_fault_where_the_value_is_not_valid(value: object) -> None:
    judge, message = validator(SCHEMA), {"evaluate": value}
    assert (judge.first(message) is None) == judge.is_valid(message)
    assert (list(judge.faults(message)) == []) == judge.is_valid(message)


def test_other_schemas_stay_as_they_are() -> None:
    tree = {"type": "object", "properties": {"left": {"$ref": "#/definitions/tree"}}}
    for schema in (
        {"type": "object"},
        {"definitions": {"tree": tree}, "$ref": "#/definitions/tree"},
        {"definitions": {"a": {"anyOf": [{"type": "null"}, {"const": 1}]}}},
    ):
        assert unrolled(schema) is None
