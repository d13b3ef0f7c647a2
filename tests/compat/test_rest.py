"""What each change of an OpenAPI document means to its clients."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from scripts.compat.changes import Change, Level
from scripts.compat.rest import compare_rest

Dict = dict[str, Any]

DOCUMENT: Dict = yaml.safe_load("""
openapi: 3.0.3
info: {title: Small, version: 1.0.0}
servers: [{url: /api}]
paths:
  /things/{thing}:
    parameters:
      - {name: thing, in: path, required: true, schema: {type: string, maxLength: 9}}
    get:
      operationId: get_thing
      parameters:
        - {name: limit, in: query, schema: {type: integer, maximum: 10, default: 5}}
      responses:
        '200':
          headers:
            Age: {required: true, schema: {type: integer}}
          content:
            application/json: {schema: {$ref: '#/components/schemas/Thing'}}
        '404': {$ref: '#/components/responses/Missing'}
    post:
      operationId: make_thing
      requestBody:
        content:
          application/json: {schema: {$ref: '#/components/schemas/Thing'}}
      responses:
        '201': {description: Made.}
components:
  responses:
    Missing: {description: There is no such thing.}
  schemas:
    Thing:
      type: object
      required: [size]
      additionalProperties: false
      properties:
        size: {type: integer, minimum: 0, exclusiveMinimum: true}
        note: {type: string, nullable: true}
""")
THING = "/things/{thing}"


def with_(edit: Callable[[Dict], object]) -> Dict:
    document = copy.deepcopy(DOCUMENT)
    edit(document)
    return document


def get(document: Dict) -> Any:
    return document["paths"][THING]["get"]


def post(document: Dict) -> Any:
    return document["paths"][THING]["post"]


def thing(document: Dict) -> Any:
    return document["components"]["schemas"]["Thing"]


def changes(edit: Callable[[Dict], object]) -> list[Change]:
    return compare_rest(DOCUMENT, with_(edit))


def query(name: str, **fields: Any) -> Callable[[Dict], object]:
    parameter = {"name": name, "in": "query", "schema": {"type": "integer"}, **fields}
    return lambda d: get(d)["parameters"].append(parameter)


def limit(**fields: Any) -> Callable[[Dict], object]:
    return lambda d: get(d)["parameters"][0].update(fields)


BREAKING = [
    pytest.param(lambda d: d["paths"][THING].pop("get"), id="a method is gone"),
    pytest.param(lambda d: d["paths"].clear(), id="a path is gone"),
    pytest.param(lambda d: d.update(servers=[{"url": "/v2"}]), id="another base path"),
    pytest.param(lambda d: get(d).update(operationId="thing"), id="operationId"),
    pytest.param(lambda d: get(d).update(security=[{"key": []}]), id="credentials"),
    pytest.param(query("page", required=True), id="a new required parameter"),
    pytest.param(lambda d: get(d)["parameters"].clear(), id="a parameter is gone"),
    pytest.param(limit(required=True), id="a parameter is required now"),
    pytest.param(limit(schema={"type": "integer", "maximum": 9, "default": 5}), id="a lower bound"),
    pytest.param(limit(schema={"type": "integer", "maximum": 10, "default": 6}), id="default"),
    pytest.param(limit(explode=False), id="style"),
    pytest.param(
        lambda d: d["paths"][THING]["parameters"][0].update(schema={"type": "integer"}),
        id="a parameter of the path",
    ),
    pytest.param(lambda d: get(d)["responses"].pop("200"), id="the reply is gone"),
    pytest.param(
        lambda d: get(d)["responses"].update({"202": {"description": "Later."}}),
        id="another success",
    ),
    pytest.param(lambda d: get(d)["responses"]["200"]["headers"].clear(), id="a header is gone"),
    pytest.param(
        lambda d: get(d)["responses"]["200"]["headers"]["Age"].update(required=False),
        id="a header may be absent",
    ),
    pytest.param(
        lambda d: get(d)["responses"]["200"]["headers"]["Age"].update(schema={"type": "string"}),
        id="another header",
    ),
    pytest.param(
        lambda d: get(d)["responses"]["200"].update(content={"text/csv": {}}),
        id="another media type",
    ),
    pytest.param(lambda d: post(d)["requestBody"].update(required=True), id="a required body"),
    pytest.param(lambda d: post(d).pop("requestBody"), id="the body is gone"),
    pytest.param(lambda d: thing(d)["properties"].pop("note"), id="a field is gone"),
    pytest.param(
        lambda d: thing(d)["properties"]["note"].pop("nullable"), id="null, in what clients send"
    ),
    pytest.param(
        lambda d: thing(d)["properties"]["size"].update(nullable=True), id="null, in what they get"
    ),
    pytest.param(
        lambda d: thing(d)["properties"]["size"].pop("exclusiveMinimum"),
        id="the bound itself, in what they get",
    ),
]
COMPATIBLE = [
    pytest.param(
        lambda d: d["paths"].update({"/more": {"get": {"operationId": "more", "responses": {}}}}),
        id="a new path",
    ),
    pytest.param(lambda d: d["servers"].append({"url": "/more"}), id="a new server"),
    pytest.param(query("page"), id="a new optional parameter"),
    pytest.param(
        limit(schema={"type": "integer", "maximum": 20, "default": 5}), id="a higher bound"
    ),
    pytest.param(
        lambda d: get(d)["responses"].update({"429": {"description": "Too many."}}),
        id="another error",
    ),
    pytest.param(lambda d: get(d)["responses"].pop("404"), id="an error less"),
    pytest.param(
        lambda d: get(d)["responses"]["200"]["headers"].update({"ETag": {"schema": {}}}),
        id="a new header",
    ),
    pytest.param(
        lambda d: get(d)["responses"]["200"]["content"].update({"text/csv": {}}),
        id="a media type more",
    ),
    pytest.param(
        lambda d: post(d)["responses"]["201"].update(content={"application/json": {}}),
        id="a body where there was none",
    ),
]
WORDS = [
    pytest.param(lambda d: get(d).update(summary="One thing"), id="a summary"),
    pytest.param(
        lambda d: d["paths"].update(
            {
                "/things/{name}": {
                    **d["paths"].pop(THING),
                    "parameters": [
                        {
                            "name": "name",
                            "in": "path",
                            "required": True,
                            "schema": {"type": "string", "maxLength": 9},
                        }
                    ],
                }
            }
        ),
        id="another name in the path",
    ),
]


@pytest.mark.parametrize("edit", BREAKING)
def test_it_breaks_clients(edit: Callable[[Dict], object]) -> None:
    found = changes(edit)
    assert any(change.level is Level.BREAKING for change in found)
    assert all(change.place and change.what and change.why for change in found)


@pytest.mark.parametrize("edit", COMPATIBLE)
def test_it_breaks_nobody(edit: Callable[[Dict], object]) -> None:
    assert {change.level for change in changes(edit)} == {Level.COMPATIBLE}


@pytest.mark.parametrize("edit", WORDS)
def test_it_is_not_on_the_wire(edit: Callable[[Dict], object]) -> None:
    assert changes(edit) == []


def test_what_an_operation_says_of_a_parameter_comes_before_what_its_path_says() -> None:
    own = {"name": "thing", "in": "path", "required": True, "schema": {"type": "string"}}
    (change,) = changes(lambda d: get(d)["parameters"].append(own))
    assert (change.level, change.place) == (Level.COMPATIBLE, f"GET {THING} path parameter 1")


def test_places_are_told_as_a_reader_of_the_document_looks_for_them() -> None:
    (change,) = changes(limit(schema={"type": "integer", "maximum": 9, "default": 5}))
    assert change.place == f"GET {THING} query parameter limit"
    assert change.what == "maximum 10 becomes maximum 9"
