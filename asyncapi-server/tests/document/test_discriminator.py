"""Messages are distinguished by the demands of their schemas, or refused."""

from __future__ import annotations

import itertools
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncapi_server.document.discriminator import Discriminator
from asyncapi_server.document.signature import signature


def constant(key: str, value: object, required: bool = True) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": {key: {"const": value}}}
    return {**schema, "required": [key]} if required else schema


def of(**schemas: dict[str, Any]) -> Discriminator:
    return Discriminator({name: signature(schema) for name, schema in schemas.items()})


def test_a_constant_at_the_root_names_the_message() -> None:
    apart = of(a=constant("event", "a"), b=constant("event", "b"))
    assert not [*apart.overlaps()]
    assert apart.pointers == ("/event",)
    assert apart.identify({"event": "a"}) == ("a",)
    assert apart.identify({"event": "c"}) == ()
    assert apart.identify({}) == ()
    assert apart.identify("a") == ()


def test_a_nested_constant_is_found_when_the_root_does_not_differ() -> None:
    def feed(*names: str) -> dict[str, Any]:
        inner = {"type": "object", "required": ["name"], "properties": {"name": {"enum": [*names]}}}
        schema = constant("event", "subscribe")
        schema["properties"]["feed"] = inner
        return {**schema, "required": ["event", "feed"]}

    apart = of(public=feed("trade", "ohlc"), private=feed("orders"), ping=constant("event", "ping"))
    assert not [*apart.overlaps()]
    assert apart.identify({"event": "subscribe", "feed": {"name": "ohlc"}}) == ("public",)
    assert apart.identify({"event": "subscribe", "feed": {"name": "orders"}}) == ("private",)
    assert apart.identify({"event": "ping"}) == ("ping",)
    # Recognised by its first constant, wrong in its second: one of the two, its schema says why.
    assert set(apart.identify({"event": "subscribe", "feed": {"name": "?"}})) == {
        "public",
        "private",
    }


def test_arrays_are_distinguished_from_objects_and_from_each_other() -> None:
    def row(name: str) -> dict[str, Any]:
        return {"type": "array", "minItems": 2, "items": [{"type": "integer"}, {"const": name}]}

    apart = of(trade=row("trade"), spread=row("spread"), pong=constant("event", "pong"))
    assert not [*apart.overlaps()]
    assert apart.identify([7, "trade"]) == ("trade",)
    assert apart.identify([7, "spread", 1]) == ("spread",)
    assert apart.identify({"event": "pong"}) == ("pong",)


def test_constants_are_found_through_references_choices_and_conjunctions() -> None:
    ok = {"properties": {"event": {"const": "done"}, "ok": {"const": True}}}
    failed = {"properties": {"event": {"enum": ["done"]}, "ok": {"const": False}}}
    schema = {
        "allOf": [{"type": "object", "required": ["event"]}, {"$ref": "#/definitions/Either"}],
        "definitions": {"Either": {"oneOf": [ok, failed]}},
    }
    apart = of(done=schema, other=constant("event", "other"))
    assert not [*apart.overlaps()]
    assert apart.identify({"event": "done", "ok": True}) == ("done",)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (constant("event", "a"), constant("event", "a")),
        (constant("event", "a"), constant("action", "b")),
        (constant("event", "a", required=False), constant("event", "b", required=False)),
        ({}, constant("event", "a")),
        ({"enum": [1, "a"]}, {"enum": [1.0, "b"]}),
    ],
)
def test_messages_that_could_be_the_same_are_named(one: Any, two: Any) -> None:
    assert [*of(one=one, two=two).overlaps()] == [("one", "two")]


def test_true_is_not_one() -> None:
    apart = of(yes=constant("v", True), one=constant("v", 1))
    assert not [*apart.overlaps()]
    assert apart.identify({"v": True}) == ("yes",)
    assert apart.identify({"v": 1.0}) == ("one",)


def test_a_schema_that_contains_itself_ends() -> None:
    tree = {"type": "object", "properties": {"next": {"$ref": "#/definitions/tree"}}}
    assert signature({**tree, "definitions": {"tree": tree}})


scalars = st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.sampled_from("abc"))
leaves = st.one_of(
    st.builds(lambda v: {"const": v}, scalars),
    st.builds(lambda v: {"enum": v}, st.lists(scalars, min_size=1, max_size=3)),
    st.sampled_from([{"type": "string"}, {"type": "number"}, {"type": ["null", "array"]}, {}]),
)


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    keys = st.sampled_from("xyz")
    as_object = st.builds(
        lambda properties, required: {
            "type": "object",
            "properties": properties,
            "required": sorted(required),
        },
        st.dictionaries(keys, inner, max_size=3),
        st.sets(keys, max_size=3),
    )
    as_array = st.builds(
        lambda items, least: {"type": "array", "items": items, "minItems": least},
        st.lists(inner, min_size=1, max_size=3),
        st.integers(0, 3),
    )
    several = st.lists(inner, min_size=1, max_size=2)
    return st.one_of(
        as_object,
        as_array,
        st.builds(lambda parts: {"allOf": parts}, several),
        st.builds(lambda parts: {"anyOf": parts}, several),
        st.builds(lambda parts: {"oneOf": parts}, several),
    )


schemas = st.recursive(leaves, objects, max_leaves=6)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("xyz"), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.lists(schemas, min_size=1, max_size=3), st.lists(values, min_size=5, max_size=20))
def test_no_valid_message_is_missed_and_none_is_two(parts: list[Any], samples: list[Any]) -> None:
    validators = {f"m{n}": jsonschema.Draft7Validator(part) for n, part in enumerate(parts)}
    apart = of(**{f"m{n}": part for n, part in enumerate(parts)})
    for value in samples:
        valid = {name for name, validator in validators.items() if validator.is_valid(value)}
        assert valid <= set(apart.identify(value)) or not valid
        for pair in itertools.combinations(sorted(valid), 2):
            assert pair in apart.overlaps()


@given(st.lists(schemas, min_size=2, max_size=6))
def test_pairs_that_exclude_each_other_are_those_of_all_pairs(parts: list[Any]) -> None:
    signatures = {f"m{n}": signature(part) for n, part in enumerate(parts)}

    def disjoint_places(one: str, two: str) -> set[str]:
        mine, theirs = signatures[one], signatures[two]
        return {p for p in mine.keys() & theirs.keys() if mine[p].disjoint(theirs[p])}

    def are_apart(one: str, two: str) -> bool:
        mine, theirs = signatures[one], signatures[two]
        return any(mine[p].required or theirs[p].required for p in disjoint_places(one, two))

    apart = Discriminator(signatures)
    pairs = itertools.combinations(signatures, 2)
    assert [*apart.overlaps()] == [pair for pair in pairs if not are_apart(*pair)]
    for one, two in itertools.combinations(signatures, 2):
        places = disjoint_places(one, two)
        assert not places or places & {*apart.pointers}
