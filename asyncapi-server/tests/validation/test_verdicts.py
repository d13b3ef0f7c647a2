"""jsonschema is the reference; jsonschema-rs finds the same faults."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncapi_server import load_document
from asyncapi_server.document.model import Message
from asyncapi_server.validation import VARIABLE, Engine, SchemaFault, Validator, validator
from asyncapi_server.validation.fast import FastValidator
from asyncapi_server.validation.reference import ReferenceValidator
from support.rooms import DOCUMENTS


def messages() -> list[Message]:
    names = ["pingpong_3.1.yaml", "rooms_3.1.yaml", "market_2.6.yaml", "market_3.1.yaml"]
    channels = [c for name in names for c in load_document(DOCUMENTS / name).channels.values()]
    return [message for channel in channels for message in (*channel.receives, *channel.sends)]


MESSAGES = messages()
EXAMPLES = [example.payload for message in MESSAGES for example in message.examples]

KEYS = ["action", "event", "type", "rooms", "room", "request_id", "reqid", "subscription", "name"]
WORDS = ["join", "leave", "ping", "pong", "subscribe", "trade", "status", "", "x" * 17]
near = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-2, 2),
        st.sampled_from([1.0, 0.5, -0.0, 1e300, 2**53, 2**63, 2**70, -(2**63)]),
        st.sampled_from(WORDS),
        st.text(max_size=3),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    ),
    max_leaves=8,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of each value below."""
    members: Any = value.items() if isinstance(value, dict) else ()
    if isinstance(value, list):
        members = enumerate(value)
    return [path, *(place for key, member in members for place in places(member, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy with the value at a place replaced."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(copy[path[0]], path[1:], new)
    return copy


near_misses = st.sampled_from(EXAMPLES).flatmap(
    lambda example: st.builds(
        lambda path, new: replaced(example, path, new), st.sampled_from(places(example)), near
    )
)


@given(st.one_of(near_misses, near), st.sampled_from(MESSAGES))
def test_both_find_the_same_faults_in_every_message(value: Any, message: Message) -> None:
    fast, reference = FastValidator(message.schema), ReferenceValidator(message.schema)
    assert fast.is_valid(value) == reference.is_valid(value)
    assert faults(fast, value) == faults(reference, value)


def faults(judge: Validator, value: Any) -> set[SchemaFault]:
    """The faults, whatever an engine says of the alternatives of a choice."""
    return {dataclasses.replace(fault, alternatives=()) for fault in judge.faults(value)}


@pytest.mark.parametrize(
    ("schema", "value", "verdict"),
    [
        ({"type": "integer"}, 1.0, True),
        ({"type": "integer"}, 1.5, False),
        ({"type": "integer"}, True, False),
        ({"type": "number"}, True, False),
        ({"const": 1}, True, False),
        ({"const": 1}, 1.0, True),
        ({"enum": [0]}, False, False),
        ({"enum": [[1]]}, [True], False),
        ({"uniqueItems": True}, [1, True], True),
        ({"uniqueItems": True}, [1, 1.0], False),
        ({"pattern": "^[A-Z]+$"}, "BTCUSDT\n", False),
        ({"pattern": "^[A-Z]+$"}, "BTCUSDT", True),
        ({"pattern": "^[$]$"}, "$", True),
        ({"pattern": "^\\d$"}, "\u0663", False),
        ({"pattern": "^\\s$"}, "\u00a0", True),
        ({"pattern": "^(?<year>\\d{4})\\/$"}, "2024/", True),
        ({"maxLength": 1}, "𝄞", True),
        ({"multipleOf": 0.01}, 0.29, True),
        ({"multipleOf": 3}, 10**30, False),
        ({"format": "date-time"}, "not a date", True),
        ({"exclusiveMinimum": 0}, 0, False),
        (False, 1, False),
        (True, 1, True),
    ],
)
@pytest.mark.parametrize("engine", [FastValidator, ReferenceValidator])
def test_both_give_the_verdict_of_json_schema(
    engine: Engine, schema: Any, value: Any, verdict: bool
) -> None:
    assert engine(schema).is_valid(value) is verdict


EVERYTHING: dict[str, Any] = {
    "type": "object",
    "required": ["a"],
    "additionalProperties": False,
    "properties": {
        "a": {"$ref": "#/definitions/A"},
        "e": {"enum": [1, 2, 3, 4, 5, "x"]},
        "e2": {"enum": ["x", None]},
        "e3": {"enum": ["x", "y", "z"]},
        "s": {"type": "string", "minLength": 2, "maxLength": 3, "pattern": "^a$"},
        "n": {"minimum": 1, "maximum": 3, "multipleOf": 2, "exclusiveMinimum": 0},
        "l": {"minItems": 2, "maxItems": 3, "uniqueItems": True, "contains": {"const": 9}},
        "o": {"minProperties": 1, "maxProperties": 1, "propertyNames": {"maxLength": 1}},
        "c": {"oneOf": [{"type": "string"}, {"type": "null"}]},
        "d": {"oneOf": [{"type": "integer"}, {"minimum": 0}]},
        "f": {"anyOf": [{"type": "string"}, {"minimum": 10}]},
        "x": {"not": {"type": "string"}},
        "t": {"type": ["string", "null"]},
        "i": {"if": {"const": 1}, "then": {"const": 2}, "else": {"const": 3}},
        "dep": {"dependencies": {"p": ["q"], "r": {"required": ["s"]}}},
        "tup": {"items": [{"const": 1}], "additionalItems": False},
        "p": {"patternProperties": {"^z": {"type": "null"}}},
    },
    "definitions": {"A": {"type": "integer"}},
}


@pytest.mark.parametrize(
    "value",
    [
        {"a": "x", "zz": 1, "yy": 2},
        {"e": 9, "e2": 9, "e3": 9, "s": "b", "n": 7},
        {"a": 1, "s": "", "n": 0, "l": [1, 1, 1, 1], "o": {"zzz": 1, "y": 2}},
        {"a": 1, "c": 5, "d": 3, "f": 4, "x": "s", "t": 4, "i": 1, "p": {"z1": 1, "y": 2}},
        {"a": 1, "s": "aaaaa", "l": [1], "o": {}, "i": 2, "dep": {"p": 1, "r": 2}, "tup": [2, 3]},
        [],
        {"a": 1, "s": 7, "e": "é"},
    ],
)
def test_both_say_the_same_of_each_keyword(value: Any) -> None:
    fast, reference = FastValidator(EVERYTHING), ReferenceValidator(EVERYTHING)
    assert faults(fast, value) == faults(reference, value)
    assert fast.first(value) is not None
    assert reference.first(value) is not None


@pytest.mark.parametrize(
    "schema", [{"type": "int"}, {"pattern": "("}, {"items": 7}, {"patternProperties": {"[": {}}}]
)
@pytest.mark.parametrize("engine", [FastValidator, ReferenceValidator])
def test_what_is_no_schema_is_refused(engine: Engine, schema: Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        engine(schema)


def test_the_reference_is_taken_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert isinstance(validator(True), FastValidator)
    monkeypatch.setenv(VARIABLE, "reference")
    assert isinstance(validator(True), ReferenceValidator)


def test_the_reference_is_imported_only_where_it_judges() -> None:
    program = (
        "import sys; from asyncapi_server.validation import validator; "
        "print(validator(True).is_valid(1), 'jsonschema' in sys.modules)"
    )
    for setting, imported in (("", "False"), ("reference", "True")):
        environment = {**os.environ, VARIABLE: setting}
        command = [sys.executable, "-c", program]
        assert subprocess.check_output(command, env=environment, text=True) == f"True {imported}\n"
