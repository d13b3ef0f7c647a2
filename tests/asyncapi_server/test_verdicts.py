"""jsonschema is the reference; jsonschema-rs, which the router uses, gives the same verdicts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncapi_server import load_document
from asyncapi_server.document.model import Message
from asyncapi_server.document.schemas import validator

from .rooms import DOCUMENTS


def ecma_pattern(
    _: Any, pattern: str, instance: Any, schema: Any
) -> Iterator[jsonschema.ValidationError]:
    """`pattern` as JSON Schema means it: in ECMA 262 `$` is the very end, in Python it is not."""
    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


Reference: Any = jsonschema.validators.extend(  # type: ignore[no-untyped-call]  # so its stubs
    jsonschema.Draft7Validator, {"pattern": ecma_pattern}
)


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
def test_both_validators_agree_on_every_message(value: Any, message: Message) -> None:
    expected = Reference(message.schema).is_valid(value)
    assert validator(message.schema).is_valid(value) == expected


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
        ({"maxLength": 1}, "𝄞", True),
        ({"multipleOf": 0.01}, 0.29, True),
        ({"format": "date-time"}, "not a date", True),
        ({"exclusiveMinimum": 0}, 0, False),
    ],
)
def test_both_give_the_verdict_of_json_schema(schema: Any, value: Any, verdict: bool) -> None:
    assert validator(schema).is_valid(value) is verdict
    if schema != {"multipleOf": 0.01}:  # the reference divides floats; the other one is exact
        assert Reference(schema).is_valid(value) is verdict
