"""Schemas become shapes: as precise as a type can be, never narrower than what they admit."""

from __future__ import annotations

import time
from typing import Any

import pytest

from asyncapi_server.generate.naming import Names
from asyncapi_server.generate.reading import MAX_SHAPES, Reader
from asyncapi_server.generate.shapes import (
    ANYTHING,
    NULL,
    Array,
    Choice,
    Constants,
    Dictionary,
    Member,
    Named,
    Object,
    Scalar,
    Shape,
    Tuple,
)

TEXT, WHOLE, ANY_OBJECT = Scalar("string"), Scalar("integer"), Dictionary(ANYTHING)


def read(schema: dict[str, Any], **definitions: Any) -> dict[str, Shape]:
    """The shapes of a message M and of all that it needs."""
    reader = Reader(Names({"M"}))
    reader.read({"M": {**schema, "definitions": definitions}})
    return {name: each.shape for name, each in reader.definitions.items()}


def members(shape: Shape) -> dict[str, Shape]:
    assert isinstance(shape, Object)
    return {member.name: member.shape for member in shape.members}


@pytest.mark.parametrize(
    ("schema", "shape"),
    [
        ({}, ANYTHING),
        ({"type": "string", "maxLength": 3}, Scalar("string", {"maxLength": 3})),
        ({"type": "number", "format": "decimal"}, Scalar("decimal")),
        ({"type": ["integer", "null"]}, Choice((WHOLE, NULL))),
        ({"enum": ["a", 1, True, None]}, Constants(("a", 1, True, None))),
        ({"enum": [1.0, 2.5, {}]}, Choice((Constants((1,)), Scalar("number"), ANY_OBJECT))),
        ({"type": "array"}, Array(ANYTHING)),
        ({"items": {"type": "string"}}, Array(TEXT)),
        ({"type": "object"}, ANY_OBJECT),
        ({"additionalProperties": {"type": "string"}}, Dictionary(TEXT)),
        ({"not": {"type": "string"}}, ANYTHING),
        ({"oneOf": [{"type": "string"}, {"not": {}}]}, ANYTHING),
        ({"anyOf": [{"type": "string"}, {"const": "a"}]}, Choice((TEXT, Constants(("a",))))),
        ({"type": "unheard-of"}, ANYTHING),
        ({"$ref": "#/definitions/absent"}, ANYTHING),
        ({"if": {}, "then": {"type": "string"}}, ANYTHING),
    ],
)  # fmt: skip
def test_the_shape_of_a_schema(schema: dict[str, Any], shape: Shape) -> None:
    assert read(schema) == {"M": shape}


@pytest.mark.parametrize(
    ("keywords", "shape"),
    [
        ({"minItems": 2}, Tuple((TEXT, WHOLE), 2, ANYTHING)),
        ({"minItems": 2, "maxItems": 2}, Tuple((TEXT, WHOLE), 2, None)),
        ({"additionalItems": False}, Tuple((TEXT, WHOLE), 0, None)),
        ({"minItems": 9, "additionalItems": {"type": "string"}}, Tuple((TEXT, WHOLE), 2, TEXT)),
    ],
)
def test_arrays_whose_places_differ(keywords: dict[str, Any], shape: Shape) -> None:
    items = [{"type": "string"}, {"type": "integer"}]
    assert read({"type": "array", "items": items, **keywords}) == {"M": shape}


def test_parts_of_a_whole_are_put_together() -> None:
    schema = {
        "allOf": [{"$ref": "#/definitions/base"}, {"properties": {"b": {"maximum": 5}}}],
        "required": ["b"],
    }
    base = {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "integer"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    shape = read(schema, base=base)["M"]
    assert shape == Object(
        (Member("a", TEXT, True), Member("b", Scalar("integer", {"maximum": 5}), True))
    )


def test_an_object_within_an_object_has_a_name_of_its_own() -> None:
    inner = {"type": "object", "properties": {"x": {"type": "string"}}}
    schema = {
        "type": "object",
        "properties": {"one": inner, "many": {"type": "array", "items": inner}},
    }
    shapes = read(schema)
    assert members(shapes["M"]) == {"one": Named("MOne"), "many": Array(Named("MManyItem"))}
    assert members(shapes["MOne"]) == members(shapes["MManyItem"]) == {"x": TEXT}


def test_a_nullable_object_is_that_object_or_null() -> None:
    shapes = read({"type": ["object", "null"], "properties": {"x": {"type": "string"}}})
    assert shapes["M"] == Choice((Named("MObject"), NULL))


def test_alternatives_meet_what_stands_beside_them() -> None:
    schema = {
        "type": "object",
        "properties": {"id": {"type": "integer"}},
        "oneOf": [
            {"title": "by name", "properties": {"name": {"type": "string"}}},
            {"properties": {"number": {"type": "integer"}}},
        ],
    }
    shapes = read(schema)
    assert shapes["M"] == Choice((Named("MByName"), Named("M2")))
    assert members(shapes["MByName"]) == {"name": TEXT, "id": WHOLE}


def test_alternatives_that_only_require_members_are_one_object() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
    }
    assert read(schema)["M"] == Object((Member("a", TEXT, False), Member("b", ANYTHING, False)))


def test_what_has_names_by_pattern_is_open() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {}},
        "patternProperties": {"^x": {}},
        "additionalProperties": False,
    }
    shape = read(schema)["M"]
    assert isinstance(shape, Object)
    assert not shape.is_closed
    del schema["patternProperties"]
    assert read(schema)["M"] == Object((Member("a", ANYTHING, False),), is_closed=True)


def test_names_lead_in_circles_by_way_of_objects_alone() -> None:
    tree = {"type": "object", "properties": {"left": {"$ref": "#/definitions/tree"}}}
    assert members(read(tree, tree=tree)["M"]) == {"left": Named("M")}
    lists = {"type": "array", "items": {"$ref": "#/definitions/lists"}}
    assert read({"items": {"$ref": "#/definitions/lists"}}, lists=lists) == {
        "M": Array(Named("Lists")), "Lists": Array(ANYTHING),
    }  # fmt: skip
    itself = {"$ref": "#/definitions/itself"}
    assert read(itself, itself=itself)["Itself"] == ANYTHING
    whole = {"allOf": [{"$ref": "#/definitions/whole"}, {"properties": {"a": {}}}]}
    assert "M" in read(whole, whole=whole)


def test_the_definition_of_a_message_is_that_message() -> None:
    order = {"type": "object", "properties": {"id": {"type": "integer"}}}
    reader = Reader(Names({"Order", "Orders"}))
    orders = {"items": {"$ref": "#/definitions/order"}, "definitions": {"order": order}}
    reader.read({"Orders": orders, "Order": order})
    assert reader.definitions["Orders"].shape == Array(Named("Order"))


def test_definitions_of_one_name_and_of_two_meanings_are_two() -> None:
    one = {"$ref": "#/definitions/side", "definitions": {"side": {"enum": ["a"]}}}
    two = {"items": {"$ref": "#/definitions/side"}, "definitions": {"side": {"enum": ["b"]}}}
    reader = Reader(Names({"One", "Two", "Three"}))
    reader.read({"One": one, "Two": two, "Three": {**two, "type": "array"}})
    assert reader.definitions["One"].shape == Named("Side")
    assert reader.definitions["Two"].shape == Array(Named("Side2"))
    assert reader.definitions["Three"].shape == Array(Named("Side2"))


@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf"])
@pytest.mark.parametrize("leaf", [{"type": "string"}, {"properties": {"x": {}}}])
def test_a_bomb_of_references_is_read_in_bounded_time(keyword: str, leaf: Any) -> None:
    levels = 60
    bomb: dict[str, Any] = {
        f"d{n}": {keyword: [{"$ref": f"#/definitions/d{n + 1}"}] * 3, "title": str(n)}
        for n in range(levels)
    }
    started = time.process_time()
    shapes = read(
        {"properties": {"a": bomb["d0"], "b": bomb["d1"]}}, **bomb, **{f"d{levels}": leaf}
    )
    assert len(shapes) < MAX_SHAPES
    assert time.process_time() - started < 20


def test_a_deep_schema_ends_as_any_value() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(300):
        schema = {"type": "array", "items": schema}
    shape = read(schema)["M"]
    for _ in range(20):
        assert isinstance(shape, Array)
        shape = shape.items
    while isinstance(shape, Array):
        shape = shape.items
    assert shape == ANYTHING


def test_integers_that_doubles_round_are_long() -> None:
    def is_long(**keywords: object) -> bool:
        shape = read({"type": "integer", **keywords})["M"]
        assert isinstance(shape, Scalar)
        return shape.is_long

    assert is_long(format="int64")
    assert is_long(format="int64", maximum=2**63)
    assert is_long(maximum=2**60)
    assert is_long(minimum=-(2**60))
    assert not is_long()
    assert not is_long(format="int32")
    assert not is_long(format="int64", maximum=2**53 - 1)
