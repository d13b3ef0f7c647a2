"""Parts of OpenAPI documents, 3.0 and 3.1: each kind of change in both directions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from asyncapi_server import DocumentError
from asyncapi_server.diff import Level, Side
from diff.documents import Document, Edit, changes, edited, level, rich

B, C, W = Level.BREAKING, Level.COMPATIBLE, Level.WORDS
SHOP_0, SHOP_1 = rich("shop-3.0.yaml"), rich("shop-3.1.yaml")
GOODS = "/goods/{id}"


def get(document: Document) -> Any:
    return document["paths"][GOODS]["get"]


def put(document: Document) -> Any:
    return document["paths"][GOODS]["put"]


def basket(document: Document) -> Any:
    return document["components"]["requestBodies"]["Basket"]["content"]


def basket_schema(document: Document) -> Any:
    return basket(document)["application/json"]["schema"]


def ok(document: Document) -> Any:
    return get(document)["responses"]["200"]


def refused(document: Document) -> Any:
    return document["components"]["responses"]["Refused"]["content"]["application/json"]["schema"]


def parameter(number: int) -> Callable[[Document], Any]:
    return lambda document: get(document)["parameters"][number]


def oauth(document: Document) -> Any:
    return document["components"]["securitySchemes"]["token"]["flows"]["password"]


def set_(find: Callable[[Document], Any], **fields: Any) -> Edit:
    return lambda document: find(document).update(fields)


def drop(find: Callable[[Document], Any], key: str) -> Edit:
    return lambda document: find(document).pop(key)


def default(**fields: Any) -> Edit:
    return lambda document: get(document)["responses"]["default"].update(fields)


TEXT = {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Text."}
SHORT = {"content": {"text/plain": {"schema": {"type": "string", "maxLength": 9}}},
         "description": "Text."}  # fmt: skip
EITHER = [
    pytest.param(lambda d: d["paths"].pop("/goods"), B, C, id="a path"),
    pytest.param(drop(lambda d: d["paths"][GOODS], "get"), B, C, id="an operation"),
    pytest.param(drop(put, "servers"), B, B, id="servers of an operation"),
    pytest.param(lambda d: d["servers"].append({"url": "/more"}), C, B, id="a server more"),
    pytest.param(drop(get, "operationId"), B, C, id="the name of an operation"),
    pytest.param(set_(get, deprecated=True), C, C, id="deprecated"),
    pytest.param(set_(put, security=[]), C, B, id="no credentials"),
    pytest.param(lambda d: d["security"].append({}), C, B, id="credentials that may be left out"),
    pytest.param(lambda d: oauth(d)["scopes"].update(all="All."), C, B, id="a scope on offer"),
    pytest.param(lambda d: oauth(d)["scopes"].update(buy="Buy."), W, W, id="words of a scope"),
    pytest.param(set_(oauth, tokenUrl="https://other.test"), B, B, id="another token URL"),
    pytest.param(
        lambda d: d["components"]["securitySchemes"]["token"]["flows"].update(
            implicit={"authorizationUrl": "https://other.test", "scopes": {}}
        ),
        B,
        B,
        id="another flow",
    ),
    pytest.param(lambda d: get(d)["parameters"].pop(), B, C, id="an optional parameter"),
    pytest.param(set_(parameter(3), required=True), B, C, id="a required parameter"),
    pytest.param(set_(parameter(0), explode=True), B, B, id="how a value is written"),
    pytest.param(set_(parameter(3), **{"in": "query"}), B, B, id="another kind of parameter"),
    pytest.param(
        lambda d: parameter(2)(d)["content"].update({"text/plain": {}}), C, B, id="media type"
    ),
    pytest.param(
        lambda d: basket(d).update({"Application/JSON": basket(d).pop("application/json")}),
        W,
        W,
        id="case of a media type",
    ),
    pytest.param(lambda d: basket(d).update({"text/csv": {}}), C, B, id="another body"),
    pytest.param(drop(put, "requestBody"), B, B, id="a required body"),
    pytest.param(
        drop(lambda d: d["paths"]["/goods"]["post"], "requestBody"), B, C, id="an optional body"
    ),
    pytest.param(set_(basket_schema, maxItems=10), C, B, id="more items"),
    pytest.param(
        lambda d: put(d)["requestBody"]["content"]["multipart/form-data"].pop("encoding"),
        B,
        B,
        id="encoding",
    ),
    pytest.param(drop(lambda d: ok(d)["headers"], "X-Left"), B, C, id="a header"),
    pytest.param(
        lambda d: ok(d)["headers"].update({"x-left": ok(d)["headers"].pop("X-Left")}),
        W,
        W,
        id="case of a header",
    ),
    pytest.param(drop(lambda d: ok(d)["headers"]["Age"], "required"), B, C, id="it may be absent"),
    pytest.param(drop(lambda d: ok(d)["content"], "text/csv"), B, C, id="a media type of a reply"),
    pytest.param(drop(lambda d: ok(d)["links"], "more"), B, C, id="a link"),
    pytest.param(lambda d: refused(d)["properties"]["code"]["enum"].pop(), C, B, id="a code less"),
    pytest.param(set_(refused, required=[]), B, C, id="a field that may be absent"),
    pytest.param(
        lambda d: get(d)["responses"].update({"404": d["components"]["responses"]["Refused"]}),
        W,
        W,
        id="a status as its class had it",
    ),
    pytest.param(
        lambda d: get(d)["responses"].update({"201": TEXT}), W, W, id="a status as the default"
    ),
    pytest.param(
        lambda d: get(d)["responses"].update({"201": SHORT}), C, B, id="a status within the default"
    ),
    pytest.param(
        lambda d: get(d)["responses"].update({"201": {"description": "Empty."}}),
        B,
        C,
        id="a status without the body of the default",
    ),
    pytest.param(drop(lambda d: get(d)["responses"], "default"), B, B, id="no default"),
    pytest.param(drop(lambda d: get(d)["responses"], "4XX"), B, B, id="errors as the default"),
    pytest.param(drop(lambda d: put(d)["responses"], "404"), C, C, id="an error"),
    pytest.param(drop(lambda d: put(d)["responses"], "204"), B, B, id="the reply"),
    pytest.param(drop(put, "callbacks"), W, W, id="callbacks, which are noted"),
    pytest.param(lambda d: d.update(webhooks={"sold": {}}), W, W, id="webhooks, which are noted"),
    pytest.param(lambda d: d["info"].update(contact={"name": "Me"}), W, W, id="contact"),
]


@pytest.mark.parametrize("document", [SHOP_0, SHOP_1], ids=["3.0", "3.1"])
@pytest.mark.parametrize(("edit", "there", "back"), EITHER)
def test_a_change_has_its_level(document: Document, edit: Edit, there: Level, back: Level) -> None:
    changed = edited(document, edit)
    assert level(changes(document, changed)) is there
    assert level(changes(changed, document)) is back


def test_what_is_not_compared_is_noted() -> None:
    (change,) = changes(SHOP_0, edited(SHOP_0, drop(put, "callbacks")))
    assert (change.where, change.what) == ("PUT /goods/{id}", "the callbacks are others")
    assert "not compared" in change.why


def things(edition: str, sent: Any, got: Any = True, **schemas: Any) -> Document:
    """A document whose clients send and get values of two schemas."""
    return {
        "openapi": edition,
        "info": {"title": "Things", "version": "1.0.0"},
        "paths": {
            "/things": {
                "post": {
                    "requestBody": {"content": {"application/json": {"schema": sent}}},
                    "responses": {
                        "200": {
                            "description": "Done.",
                            "content": {"application/json": {"schema": got}},
                        }
                    },
                }
            }
        },
        "components": {"schemas": schemas},
    }


def kind(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


OBJECT = {"type": "object", "properties": {"a": {"type": "integer"}}}
WIDER = [
    pytest.param({"type": "string"}, {"type": ["string", "null"]}, id="null"),
    pytest.param({"const": "a"}, {"enum": ["a", "b"]}, id="a constant"),
    pytest.param({"exclusiveMinimum": 1}, {"minimum": 1}, id="the bound itself"),
    pytest.param(
        {"prefixItems": [{"const": 1}], "items": False}, {"prefixItems": [{"const": 1}]}, id="tuple"
    ),
    pytest.param(
        {"contains": {"const": 1}, "minContains": 2}, {"contains": {"const": 1}}, id="minContains"
    ),
    pytest.param(
        {"contains": {"const": 1}, "maxContains": 2},
        {"contains": {"const": 1}, "maxContains": 3},
        id="maxContains",
    ),
    pytest.param(
        {"dependentRequired": {"a": ["b", "c"]}}, {"dependentRequired": {"a": ["b"]}}, id="needs"
    ),
    pytest.param({"dependentSchemas": {"a": {"required": ["b"]}}}, {}, id="a schema of a property"),
    pytest.param({**OBJECT, "unevaluatedProperties": False}, OBJECT, id="unevaluatedProperties"),
    pytest.param(
        {"$ref": "#/components/schemas/Number", "minimum": 3},
        {"$ref": "#/components/schemas/Number", "minimum": 2},
        id="beside a reference",
    ),
    pytest.param(
        {"$ref": "#/components/schemas/Open", "unevaluatedProperties": False},
        {"$ref": "#/components/schemas/Open"},
        id="unevaluatedProperties beside a reference",
    ),
    pytest.param({"$ref": "#number", "maximum": 5}, {"$ref": "#number"}, id="an anchor"),
    pytest.param(False, {"type": "null"}, id="no value"),
    pytest.param({"type": "null"}, True, id="any value"),
]
"""Pairs of schemas of OpenAPI 3.1, of which the second one accepts more."""
SCHEMAS = {"Number": {"$anchor": "number", "type": "number"}, "Open": OBJECT}


@pytest.mark.parametrize(("narrow", "wide"), WIDER)
def test_schemas_of_json_schema_2020_are_read(narrow: Any, wide: Any) -> None:
    small, large = (things("3.1.0", each, True, **SCHEMAS) for each in (narrow, wide))
    assert level(changes(small, large)) is C
    (*_, change) = [each for each in changes(large, small) if each.level is B]
    assert change.breaks == {Side.SENDERS}
    got_small, got_large = (things("3.1.0", True, each, **SCHEMAS) for each in (narrow, wide))
    assert level(changes(got_large, got_small)) is C
    assert level(changes(got_small, got_large)) is B


@pytest.mark.parametrize(
    ("old", "new", "right"),
    [
        pytest.param(
            {"type": "string", "nullable": True}, {"type": ["string", "null"]}, W, id="null"
        ),
        pytest.param(
            {"minimum": 1, "exclusiveMinimum": True}, {"exclusiveMinimum": 1}, W, id="bounds"
        ),
        pytest.param({"type": "string", "nullable": True}, {"type": "string"}, B, id="no null"),
        pytest.param({"type": "string"}, {"type": "string", "nullable": True}, B, id="nullable"),
        pytest.param(
            {"$ref": "#/components/schemas/Number"},
            {"$ref": "#/components/schemas/Number", "minimum": 1},
            B,
            id="a bound beside a reference",
        ),
        pytest.param(
            {"$ref": "#/components/schemas/Number"},
            {"$ref": "#/components/schemas/Number", "description": "One."},
            W,
            id="words beside a reference",
        ),
        pytest.param(
            {"$ref": "#/components/schemas/Number"},
            {"$ref": "#/components/schemas/Number", "deprecated": True},
            C,
            id="deprecated beside a reference",
        ),
    ],
)
def test_schemas_of_two_editions_are_compared_by_what_they_mean(
    old: Any, new: Any, right: Level
) -> None:
    schemas = {"Number": {"type": "number"}}
    found = changes(things("3.0.3", old, {}, **schemas), things("3.1.0", new, {}, **schemas))
    assert level(found) is right


def test_a_dynamic_reference_is_never_proven() -> None:
    tree = {"$dynamicAnchor": "node", "items": {"$dynamicRef": "#node"}}
    old = things("3.1.0", kind("Tree"), True, Tree=tree)
    assert changes(old, edited(old, lambda d: d)) == ()
    assert level(changes(old, edited(old, set_(lambda d: d["info"], title="Other")))) is B


def test_a_document_of_another_file_is_followed_and_named(tmp_path: Any) -> None:
    broken = things("3.1.0", {"$ref": "nowhere.yaml#/No"})
    with pytest.raises(DocumentError, match=r"nowhere\.yaml"):
        changes(things("3.1.0", True), broken)
