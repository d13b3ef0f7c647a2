"""Tables say in words what a schema admits and what it excludes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from asyncapi_server.docs import Heading, Line, Row, rows
from asyncapi_server.docs.schema import MAX_LINES
from asyncapi_server.document.source import Library


def table(schema: Any, folder: Path, **definitions: Any) -> list[Line]:
    path = folder / "schema.yaml"
    path.write_text(
        yaml.safe_dump({"schema": schema, "definitions": definitions}, sort_keys=False), "utf-8"
    )
    node = Library().open(path).raw("schema")
    assert node is not None
    return rows(node)


def said(line: Line) -> str:
    """A line as one text: its path, its type and all that it says."""
    if isinstance(line, Heading):
        return f"{'  ' * line.depth}{line.kind.value}: {line.text}"
    constants = f"one of {' '.join(line.constants)}" if line.constants else ""
    parts = (line.type, *line.limits, constants, *line.patterns)
    optional = "" if line.required else "?"
    return f"{'  ' * line.depth}{line.path or '.'}{optional}: {', '.join(filter(None, parts))}"


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string", "minLength": 1, "maxLength": 64}, "string, 1 to 64 characters"),
        ({"type": "string", "minLength": 1}, "string, at least 1 character"),
        ({"type": "string", "format": "date-time"}, "string (date-time)"),
        ({"type": "integer", "minimum": 0, "maximum": 525600}, "integer, 0 to 525\u202f600"),
        ({"type": "integer", "minimum": 0, "maximum": 2**63 - 1}, "integer, not negative"),
        ({"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}, "integer"),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 1}, "number, at most 1, above 0"),
        ({"type": "number", "minimum": 0, "exclusiveMinimum": True}, "number, above 0"),
        ({"type": "number", "multipleOf": 1e-08}, "number, a multiple of 0.00000001"),
        ({"type": "array", "items": {"type": "integer"}}, "array of integers"),
        ({"type": "array", "items": {"type": ["string", "null"]}}, "array of strings or null"),
        ({"type": "array", "uniqueItems": True}, "array, each element once"),
        ({"type": ["string", "null"]}, "string or null"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string or null"),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, "string or integer"),
        (
            {"oneOf": [{"const": "all"}, {"type": "integer", "minimum": 1}]},
            '`"all"` or integer (at least 1)',
        ),
        (
            {"type": "integer", "oneOf": [{"multipleOf": 3}, {"multipleOf": 5}]},
            "integer, a multiple of 3 or a multiple of 5",
        ),
        (
            {"oneOf": [{"type": "number", "minimum": 1}, {"type": "number", "maximum": 9}]},
            "number (at least 1) or number (at most 9), and only one of them",
        ),
        ({"not": {"enum": ["a", "b"]}}, 'any value, not `"a"` or `"b"`'),
        ({"not": {"type": "null"}}, "any value, no null"),
        (
            {"type": "object", "not": {"required": ["a", "b"]}},
            "object, without `a` and `b` together",
        ),
        ({"type": "object", "required": ["a"]}, "object, with `a`"),
        ({"type": "object", "dependentRequired": {"a": ["b"]}}, "object, with `a` also `b`"),
        (
            {"type": "object", "propertyNames": {"maxLength": 3}},
            "object, names of fields: at most 3 characters",
        ),
        ({"type": "array", "contains": {"const": 1}}, "array, with an element that is `1`"),
        ({"enum": [1, None]}, "number or null, one of 1 null"),
        ({"const": {"a": [1]}}, 'object, one of {"a": [1]}'),
        ({"type": "string", "pattern": "^a$"}, "string, ^a$"),
        ({"type": "strange<b>"}, "`strange<b>`"),
        (False, "no value"),
        (True, "any value"),
    ],
)
def test_a_constraint_is_a_few_words(schema: Any, words: str, tmp_path: Path) -> None:
    (line,) = table(schema, tmp_path)
    assert said(line) == f".: {words}"


def test_alternatives_are_told_apart_by_what_they_need(tmp_path: Path) -> None:
    circle = {"required": ["act", "r"], "properties": {"act": {"const": "circle"}, "r": {}}}
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "oneOf": [circle, {"title": "A *box*", "properties": {"w": {"type": "number"}}}],
        "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
    }
    assert [said(line) for line in table(schema, tmp_path)] == [
        "name?: string",
        "choice: exactly one of these 2",
        '  alternative: `act` is `"circle"`',
        '    act: string, one of "circle"',
        "    r: any value",
        "  alternative: A \\*box\\*",
        "    w?: number",
        "choice: one or more of these 2",
        "  alternative: with `a`",
        "  alternative: with `b`",
    ]


def test_what_is_excluded_and_what_depends_has_a_heading(tmp_path: Path) -> None:
    schema = {
        "type": "object",
        "properties": {
            "kind": {"type": "string"},
            "pet": {
                "if": {"properties": {"legs": {"const": 4}}},
                "then": {"required": ["leash"]},
                "else": {"properties": {"cage": {"type": "string"}}},
            },
        },
        "not": {"properties": {"kind": {"const": "x"}, "n": {"minimum": 3}}},
        "dependentSchemas": {"card": {"properties": {"expires": {"type": "string"}}}},
    }
    assert [said(line) for line in table(schema, tmp_path)] == [
        "kind?: string",
        "pet?: any value",
        "condition: `pet`: if `legs` is `4`: with `leash`",
        "condition: `pet`: otherwise",
        "  pet.cage?: string",
        "excluded: not like this",
        '  kind?: string, one of "x"',
        "  n?: any value, at least 3",
        "condition: if `card` is there",
        "  expires?: string",
    ]


def test_parts_of_an_all_of_are_one_value(tmp_path: Path) -> None:
    schema = {
        "allOf": [
            {"required": ["act"], "properties": {"act": {"type": "string"}}},
            {"properties": {"act": {"const": "move"}, "by": {"$ref": "#/definitions/Vector"}}},
        ]
    }
    vector = {"type": "object", "required": ["x"], "properties": {"x": {"type": "number"}}}
    assert [said(line) for line in table(schema, tmp_path, Vector=vector)] == [
        'act: string, one of "move"',
        "by?: object",
        "by.x: number",
    ]


def test_a_schema_in_itself_refers_to_its_row(tmp_path: Path) -> None:
    folder = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "in": {"$ref": "#/definitions/Folder"},
            "others": {"type": "array", "items": {"$ref": "#/definitions/Folder"}},
        },
    }
    schema = {"type": "object", "properties": {"tree": {"$ref": "#/definitions/Folder"}}}
    lines = [line for line in table(schema, tmp_path, Folder=folder) if isinstance(line, Row)]
    assert [(line.path, line.like.path if line.like else None) for line in lines] == [
        ("tree", None),
        ("tree.name", None),
        ("tree.in", "tree"),
        ("tree.others", None),
        ("tree.others[]", "tree"),
    ]


def test_a_large_schema_is_described_once(tmp_path: Path) -> None:
    large = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(20)}}
    reference = {"$ref": "#/definitions/Large"}
    schema = {"type": "object", "properties": {"one": reference, "two": reference}}
    lines = [line for line in table(schema, tmp_path, Large=large) if isinstance(line, Row)]
    assert len(lines) == 22
    assert lines[-1].path == "two"
    assert lines[-1].like is lines[0]


def test_members_by_pattern_and_elements_by_place_have_rows(tmp_path: Path) -> None:
    schema = {
        "type": "object",
        "patternProperties": {"^x-": {"type": "string"}},
        "additionalProperties": {"type": "integer"},
        "properties": {
            "pair": {
                "type": "array", "minItems": 1, "additionalItems": False,
                "items": [{"type": "string"}, {"type": "integer"}],
            },
            "rest": {
                "type": "array", "prefixItems": [{"type": "string"}], "items": {"minimum": 1},
            },
        },
    }  # fmt: skip
    assert [said(line) for line in table(schema, tmp_path)] == [
        "pair?: array, at least 1 element, no further elements",
        "pair[0]: string",
        "pair[1]?: integer",
        "rest?: array",
        "rest[0]?: string",
        "rest[1…]: any value, at least 1",
        "/^x-/?: string",
        "*?: integer",
    ]


def test_a_dangling_reference_costs_its_own_row_only(tmp_path: Path) -> None:
    schema = {"properties": {"a": {"$ref": "#/nowhere"}, "b": {"type": "string"}}}
    first, second = (line for line in table(schema, tmp_path) if isinstance(line, Row))
    assert "leads nowhere" in first.limits[0]
    assert said(second) == "b?: string"


NONSENSE: list[Any] = [
    None, True, 0, -1, 1e999, "", "x", [], [None], ["x", 1], {}, {"x": None}, {"": "x"},
    {"$ref": "#/nowhere"}, {"$ref": 1}, [{"$ref": "#/schema"}], {"x": [1]}, {"type": 1},
]  # fmt: skip
KEYWORDS = (
    "additionalItems", "additionalProperties", "allOf", "anyOf", "const", "contains",
    "contentEncoding", "default", "dependencies", "dependentRequired", "dependentSchemas",
    "deprecated", "description",
    "discriminator", "else", "enum", "example", "examples", "exclusiveMinimum", "format", "if",
    "items", "maxItems", "maximum", "minItems", "minLength", "minimum", "multipleOf", "not",
    "nullable", "oneOf", "pattern", "patternProperties", "prefixItems", "properties",
    "propertyNames", "readOnly", "required", "then", "title", "type", "uniqueItems",
)  # fmt: skip


@pytest.mark.parametrize("keyword", KEYWORDS)
def test_nonsense_has_a_table_too(keyword: str, tmp_path: Path) -> None:
    for value in NONSENSE:
        for beside in ({}, {"type": "object"}, {"items": [{}], "if": {}, "properties": {"a": {}}}):
            lines = table({**beside, keyword: value}, tmp_path)
            assert lines
            assert all(map(said, lines))


def test_a_table_is_bounded(tmp_path: Path) -> None:
    """Each schema refers to the next one nine times: a billion rows, described in full."""
    names = [f"S{n}" for n in range(12)]
    following = {"$ref": "#/definitions/{}"}
    definitions = {
        name: {"type": "object", "properties": {
            f"p{n}": {"$ref": following["$ref"].format(after)} for n in range(9)
        }}
        for name, after in zip(names, [*names[1:], "S11"], strict=True)
    }  # fmt: skip
    wide = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(5_000)}}
    assert len(table({"$ref": "#/definitions/S0"}, tmp_path, **definitions)) < MAX_LINES
    lines = table(wide, tmp_path)
    assert len(lines) <= MAX_LINES + 1
    assert "ends here" in said(lines[-1])


def test_schemas_that_are_in_each_other_in_every_way_end(tmp_path: Path) -> None:
    names = [f"S{n}" for n in range(40)]
    references = [{"$ref": f"#/definitions/{name}"} for name in names]
    schema = {
        "type": "object",
        "properties": dict(zip(names, references, strict=True)),
        "allOf": references[:10], "oneOf": references, "anyOf": references,
        "not": references[0], "if": references[1], "then": references[2],
        "items": references[3], "additionalProperties": references[4],
    }  # fmt: skip
    lines = table(references[0], tmp_path, **dict.fromkeys(names, schema))
    assert len(lines) <= MAX_LINES + 1


def test_each_row_has_an_anchor_of_its_own(tmp_path: Path) -> None:
    part = {"properties": {"a": {"type": "string", "minLength": 1}}}
    lines = table({"oneOf": [part, {"properties": {"a": {"const": 1}}}]}, tmp_path)
    anchors = [line.anchor for line in lines if isinstance(line, Row)]
    assert anchors == ["a", "a~2"]
