"""The effect of each change of an OpenAPI document on its clients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from asyncapi_server.diff import Change, Level
from diff.documents import changes as changes_of
from diff.documents import edited, level, nothing

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
    return edited(DOCUMENT, edit)


def get(document: Dict) -> Any:
    return document["paths"][THING]["get"]


def post(document: Dict) -> Any:
    return document["paths"][THING]["post"]


def thing(document: Dict) -> Any:
    return document["components"]["schemas"]["Thing"]


def changes(edit: Callable[[Dict], object]) -> tuple[Change, ...]:
    return changes_of(DOCUMENT, with_(edit))


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


REGIONS: Dict = {
    "url": "https://{region}.example.org",
    "variables": {"region": {"default": "eu", "enum": ["eu", "us"]}},
}
KEY = {"type": "apiKey", "in": "header", "name": "X-Key"}


def regions(**fields: Any) -> Dict:
    return {**REGIONS, "variables": {"region": {**REGIONS["variables"]["region"], **fields}}}


def secured(scheme: Dict, *, name: str = "key") -> Callable[[Dict], object]:
    """The document with an API key required by every operation."""

    def edit(document: Dict) -> None:
        document["components"]["securitySchemes"] = {name: scheme}
        document["security"] = [{name: []}]

    return edit


def header(name: str, **fields: Any) -> Callable[[Dict], object]:
    return query(name, **{"in": "header", **fields})


def read_only(document: Dict) -> None:
    thing(document)["properties"]["size"]["readOnly"] = True


def read_only_and_required(document: Dict) -> None:
    thing(document)["properties"]["note"]["readOnly"] = True
    thing(document)["required"].append("note")


STEPS = [
    pytest.param(
        secured(KEY), secured({**KEY, "name": "X-Other"}), Level.BREAKING, id="key header"
    ),
    pytest.param(
        secured(KEY), secured({**KEY, "in": "query"}), Level.BREAKING, id="key in a query"
    ),
    pytest.param(
        secured(KEY), secured({**KEY, "name": "x-key"}), Level.WORDS, id="key header's case"
    ),
    pytest.param(
        secured(KEY),
        secured({**KEY, "description": "Ask for one."}, name="other"),
        Level.WORDS,
        id="name of a scheme",
    ),
    pytest.param(
        secured(KEY),
        lambda d: (secured(KEY)(d), d["security"].append({})),
        Level.COMPATIBLE,
        id="a key that may be left out",
    ),
    pytest.param(
        secured(KEY),
        lambda d: (secured(KEY)(d), d["security"][0].update(other="no list of scopes")),
        Level.BREAKING,
        id="a second key, wrongly written",
    ),
    pytest.param(
        lambda d: d.update(servers=[regions()]),
        lambda d: d.update(servers=[regions(default="us", enum=["us"])]),
        Level.BREAKING,
        id="a server variable that allows less",
    ),
    pytest.param(
        lambda d: d.update(servers=[regions()]),
        lambda d: d.update(servers=[regions(default="us")]),
        Level.BREAKING,
        id="the default of a server variable",
    ),
    pytest.param(
        lambda d: d.update(servers=[regions()]),
        lambda d: d.update(servers=[regions(enum=["eu", "us", "asia"])]),
        Level.COMPATIBLE,
        id="a server variable that allows more",
    ),
    pytest.param(
        lambda d: d.update(servers=[regions()]),
        lambda d: d.update(servers=[regions(description="Where")]),
        Level.WORDS,
        id="the description of a server variable",
    ),
    pytest.param(
        nothing,
        lambda d: d["servers"].insert(0, {"url": "/v2"}),
        Level.BREAKING,
        id="another first server",
    ),
    pytest.param(
        nothing,
        lambda d: d["paths"][THING].update(servers=[{"url": "/other"}]),
        Level.BREAKING,
        id="a path on another server",
    ),
    pytest.param(
        nothing,
        lambda d: get(d).update(servers=[{"url": "/other"}]),
        Level.BREAKING,
        id="an operation on another server",
    ),
    pytest.param(
        nothing,
        lambda d: get(d).update(servers=[{"url": "/api"}]),
        Level.WORDS,
        id="an operation on the same server",
    ),
    pytest.param(nothing, lambda d: get(d).update(tags=["other"]), Level.BREAKING, id="tags"),
    pytest.param(nothing, lambda d: d.update(openapi="3.1.0"), Level.BREAKING, id="specification"),
    pytest.param(nothing, lambda d: d.update(openapi="3.0.4"), Level.WORDS, id="its patch"),
    pytest.param(
        nothing,
        lambda d: get(d).update(callbacks={"more": {"/x": {"post": {"responses": {}}}}}),
        Level.WORDS,
        id="callbacks, which are noted",
    ),
    pytest.param(
        nothing,
        lambda d: get(d)["responses"]["200"].update(
            links={"self": {"operationId": "get_thing", "parameters": {"thing": "a"}}}
        ),
        Level.COMPATIBLE,
        id="a link",
    ),
    pytest.param(
        lambda d: get(d)["responses"]["200"].update(links={"self": {"operationId": "get_thing"}}),
        lambda d: get(d)["responses"]["200"].update(links={"self": {"operationId": "make_thing"}}),
        Level.BREAKING,
        id="another link",
    ),
    pytest.param(
        nothing,
        lambda d: post(d)["requestBody"]["content"]["application/json"].update(
            encoding={"note": {"contentType": "text/csv"}}
        ),
        Level.BREAKING,
        id="encoding",
    ),
    pytest.param(nothing, limit(explode=True, style="form"), Level.WORDS, id="style spelled out"),
    pytest.param(nothing, limit(style="pipeDelimited"), Level.BREAKING, id="style"),
    pytest.param(nothing, limit(allowReserved=True), Level.BREAKING, id="reserved characters"),
    pytest.param(
        nothing,
        limit(required=False, allowReserved=False, allowEmptyValue=False, deprecated=False),
        Level.WORDS,
        id="flags spelled out",
    ),
    pytest.param(
        nothing,
        lambda d: thing(d)["properties"]["size"].update(
            nullable=False, readOnly=False, writeOnly=False, deprecated=False
        ),
        Level.WORDS,
        id="flags of a schema spelled out",
    ),
    pytest.param(
        nothing,
        lambda d: d["paths"][THING]["parameters"][0].update(style="simple", explode=False),
        Level.WORDS,
        id="style of a path spelled out",
    ),
    pytest.param(
        nothing,
        lambda d: get(d)["responses"]["200"]["headers"]["Age"].update(style="simple"),
        Level.WORDS,
        id="style of a header spelled out",
    ),
    pytest.param(
        lambda d: d.pop("servers"),
        lambda d: d.update(servers=[{"url": "/"}]),
        Level.WORDS,
        id="the default server spelled out",
    ),
    pytest.param(nothing, lambda d: d.update(security=[]), Level.WORDS, id="no credentials"),
    pytest.param(
        secured(KEY),
        lambda d: (
            secured(KEY)(d),
            [operation(d).update(security=d["security"]) for operation in (get, post)],
            d.pop("security"),
        ),
        Level.WORDS,
        id="credentials at each operation",
    ),
    pytest.param(
        nothing,
        lambda d: (
            [
                operation(d).setdefault("parameters", []).append(d["paths"][THING]["parameters"][0])
                for operation in (get, post)
            ]
            and d["paths"][THING].pop("parameters")
        ),
        Level.WORDS,
        id="parameters of a path at each operation",
    ),
    pytest.param(
        nothing,
        lambda d: get(d)["responses"]["200"].update(
            headers={"AGE": get(d)["responses"]["200"]["headers"]["Age"]}
        ),
        Level.WORDS,
        id="case of a response's header",
    ),
    pytest.param(
        nothing,
        lambda d: get(d)["responses"]["200"]["headers"].update(
            {"Content-Type": {"required": True, "schema": {"type": "string"}}}
        ),
        Level.WORDS,
        id="a response's header Content-Type, passed over",
    ),
    pytest.param(nothing, limit(deprecated=True), Level.COMPATIBLE, id="a deprecated parameter"),
    pytest.param(header("X-A"), header("x-a"), Level.WORDS, id="case of a header"),
    pytest.param(header("X-A"), header("X-B"), Level.BREAKING, id="another header"),
    *(
        pytest.param(header(name), nothing, Level.WORDS, id=f"a parameter {name}, passed over")
        for name in ("Accept", "content-type", "AUTHORIZATION")
    ),
    pytest.param(nothing, read_only, Level.BREAKING, id="readOnly, in what clients send"),
    pytest.param(
        lambda d: thing(d)["properties"]["note"].update(readOnly=True),
        read_only_and_required,
        Level.COMPATIBLE,
        id="readOnly and required binds responses only",
    ),
    pytest.param(
        nothing,
        lambda d: thing(d)["properties"]["note"].update(writeOnly=True),
        Level.BREAKING,
        id="writeOnly, in what clients get",
    ),
    pytest.param(
        nothing,
        lambda d: thing(d).update(discriminator={"propertyName": "note"}),
        Level.BREAKING,
        id="discriminator",
    ),
    pytest.param(
        nothing,
        lambda d: thing(d)["properties"]["note"].update({"const": "a"}),
        Level.BREAKING,
        id="a keyword that OpenAPI 3.0 does not have",
    ),
    pytest.param(
        nothing,
        lambda d: get(d)["responses"]["200"]["content"]["application/json"].update(
            schema={**thing(d)}
        ),
        Level.WORDS,
        id="a reference that is written out",
    ),
    pytest.param(
        nothing,
        lambda d: get(d)["responses"].update({"404": {"description": "None."}}),
        Level.WORDS,
        id="a response that is written out",
    ),
    pytest.param(
        nothing,
        lambda d: get(d)["responses"]["404"].update({"x-more": 1}),
        Level.BREAKING,
        id="what stands beside a reference",
    ),
    pytest.param(
        lambda d: d["components"]["schemas"].update(Unused={"type": "string"}),
        lambda d: d["components"]["schemas"].update(Unused={"type": "integer"}),
        Level.WORDS,
        id="what nothing uses",
    ),
    *(
        pytest.param(
            nothing,
            lambda d, find=find: find(d).update({"x-more": 1}),
            Level.BREAKING,
            id=f"an extension of {what}",
        )
        for what, find in {
            "the document": lambda d: d,
            "info": lambda d: d["info"],
            "a server": lambda d: d["servers"][0],
            "paths": lambda d: d["paths"],
            "a path": lambda d: d["paths"][THING],
            "an operation": get,
            "a parameter": lambda d: get(d)["parameters"][0],
            "a body": lambda d: post(d)["requestBody"],
            "a media type": lambda d: post(d)["requestBody"]["content"]["application/json"],
            "responses": lambda d: get(d)["responses"],
            "a response": lambda d: get(d)["responses"]["200"],
            "a header": lambda d: get(d)["responses"]["200"]["headers"]["Age"],
            "a schema": thing,
            "components": lambda d: d["components"],
        }.items()
    ),
]


@pytest.mark.parametrize(("old", "new", "right"), STEPS)
def test_a_step_has_its_level(
    old: Callable[[Dict], object], new: Callable[[Dict], object], right: Level
) -> None:
    assert level(changes_of(with_(old), with_(new))) is right


def test_what_is_not_modelled_is_named_by_its_pointer() -> None:
    (change,) = changes(lambda d: get(d)["responses"]["200"].update({"x-more": {"a": 1}}))
    assert change.level is Level.BREAKING
    assert change.where == "#/paths/~1things~1{thing}/get/responses/200/x-more"
    assert change.what == "{'a': 1} is new"
    assert change.why.startswith("not modelled")


def test_a_change_that_is_modelled_does_not_cover_one_that_is_not() -> None:
    def edit(document: Dict) -> None:
        limit(required=False, schema={"type": "integer", "maximum": 20, "default": 5})(document)
        get(document)["parameters"][0]["x-more"] = 1
        thing(document)["x-more"] = 2
        document["info"]["x-more"] = 3

    broken = {change.where for change in changes(edit) if change.level is Level.BREAKING}
    assert broken == {
        "#/paths/~1things~1{thing}/get/parameters/0/x-more",
        "#/components/schemas/Thing",
        "#/info/x-more",
    }


@pytest.mark.parametrize("edit", BREAKING)
def test_it_breaks_clients(edit: Callable[[Dict], object]) -> None:
    found = changes(edit)
    assert any(change.level is Level.BREAKING for change in found)
    assert all(change.where and change.what and change.why for change in found)


@pytest.mark.parametrize("edit", COMPATIBLE)
def test_it_breaks_nobody(edit: Callable[[Dict], object]) -> None:
    assert {change.level for change in changes(edit)} == {Level.COMPATIBLE}


@pytest.mark.parametrize("edit", WORDS)
def test_it_is_not_on_the_wire(edit: Callable[[Dict], object]) -> None:
    assert level(changes(edit)) is Level.WORDS


def test_what_an_operation_says_of_a_parameter_comes_before_what_its_path_says() -> None:
    own = {"name": "thing", "in": "path", "required": True, "schema": {"type": "string"}}
    (change,) = changes(lambda d: get(d)["parameters"].append(own))
    assert (change.level, change.where) == (Level.COMPATIBLE, f"GET {THING} path parameter 1")


def test_places_are_named_as_a_reader_of_the_document_looks_for_them() -> None:
    (change,) = changes(limit(schema={"type": "integer", "maximum": 9, "default": 5}))
    assert change.where == f"GET {THING} query parameter limit"
    assert change.what == "maximum 10 becomes maximum 9"
