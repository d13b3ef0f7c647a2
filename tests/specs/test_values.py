"""Generated values are valid by the reference validator; near misses break what they name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft7Validator

from asyncapi_server import load_document
from asyncapi_server.contract_tests.near_misses import NearMisses
from asyncapi_server.contract_tests.values import values
from asyncapi_server.validation import validator

SPECS = Path(__file__).parents[2] / "specs"
MESSAGES = {
    message.name: message.schema
    for channel in load_document(SPECS / "stream.asyncapi.yaml").channels.values()
    for message in (*channel.receives, *channel.sends)
}
BREAKABLE = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "required")
SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)


def keywords(schema: Any, root: Any) -> set[str]:
    """The constraints that a schema has anywhere."""
    if isinstance(schema, list):
        return set().union(*(keywords(part, root) for part in schema))
    if not isinstance(schema, dict):
        return set()
    if "$ref" in schema:
        return keywords(root["definitions"][schema["$ref"].rpartition("/")[2]], root)
    here = {k for k in BREAKABLE if schema.get(k)}
    parts = (*schema.get("properties", {}).values(), schema.get("items"), schema.get("anyOf"))
    return here.union(*(keywords(part, root) for part in parts))


@pytest.mark.parametrize("name", MESSAGES)
def test_generated_messages_are_valid(name: str) -> None:
    reference = Draft7Validator(MESSAGES[name])

    @given(values(MESSAGES[name]))
    @settings(max_examples=15, deadline=None, suppress_health_check=SLOW)
    def check(value: object) -> None:
        assert reference.is_valid(value)

    check()


@pytest.mark.parametrize("name", ["subscribe", "unsubscribe", "ping"])
def test_near_misses_break_the_constraint_that_they_name(name: str) -> None:
    schema = MESSAGES[name]
    judge, near_misses = validator(schema), NearMisses(schema)
    broken: set[str] = set()

    @given(values(schema))
    @settings(max_examples=15, deadline=None, suppress_health_check=SLOW)
    def collect(value: object) -> None:
        for miss in near_misses.of(value):
            wrong = miss.applied(value)
            keyword = miss.site.strip().partition(" ")[2] or miss.site.strip()
            word = keyword.split()[0] if keyword else ""
            errors = {fault.schema_path[-1] for fault in judge.faults(wrong)}
            if word in BREAKABLE or word == "additionalProperties":
                assert word in errors, miss
                broken.add(word)

    collect()
    assert broken >= keywords(schema, schema) - {"required"}


@pytest.mark.parametrize("pattern", ["^a|b$", "a", r"^\d$", "^x*$", "^[ab]{2,3}$"])
def test_texts_match_their_pattern_wherever_it_is_anchored(pattern: str) -> None:
    schema = {"type": "string", "pattern": pattern}

    @given(values(schema))
    @settings(max_examples=15, deadline=None, suppress_health_check=SLOW)
    def check(text: object) -> None:
        assert validator(schema).is_valid(text)

    check()
