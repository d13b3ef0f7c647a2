"""The checks report each kind of fault, and find none in sound documents."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

from scripts.apis import SPECS, Api, apis
from scripts.check_specs import check_api, check_names, check_stream
from scripts.rest_check import check_rest
from tests.specs import small


def rest_faults(folder: Path, document: str = small.REST, things: str = small.THINGS) -> list[str]:
    (folder / "things.yaml").write_text(things)
    path = folder / "openapi.yaml"
    path.write_text(document)
    return [str(finding).replace(f"{folder}/", "") for finding in check_rest(path)]


def stream_faults(
    folder: Path, document: str = small.STREAM, sizes: str = small.SIZES
) -> list[str]:
    (folder / "sizes.yaml").write_text(sizes)
    path = folder / "stream.yaml"
    path.write_text(document)
    return [str(finding).replace(f"{folder}/", "") for finding in check_stream(path)]


def broken(document: str, old: str, new: str) -> str:
    assert document.count(old) == 1, f"{old!r} has to stand once in the sound document"
    return document.replace(old, new)


@pytest.mark.parametrize("api", list(apis()), ids=lambda api: api.name)
def test_the_documents_of_the_project_are_sound(api: Api) -> None:
    assert check_api(api) == []


def test_a_name_is_one_schema_over_all_documents_of_an_api(tmp_path: Path) -> None:
    copytree(SPECS, tmp_path / "specs")
    (kraken,) = (api for api in apis(tmp_path / "specs") if api.name == "kraken")
    private = kraken.streams["private"]
    private.write_text(f"{private.read_text().rstrip()}\n  schemas: {{Spread: {{}}}}\n")
    (finding,) = (text for text in map(str, check_api(kraken)) if "rename" in text)
    assert "schemas.yaml" in finding
    assert "'Spread' is also the name of" in finding
    assert "private.asyncapi.yaml" in finding


def test_a_sound_rest_document_has_no_fault(tmp_path: Path) -> None:
    assert rest_faults(tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("openapi: 3.0.3", "openapi: 3.1.0", "openapi.yaml:1 #/openapi: not OpenAPI 3.0"),
        ("in: query", "at: query", "openapi.yaml:17 #/paths/~1things~1{thing}/get/parameters/1"),
        ("things.yaml#/Thing", "things.yaml#/Thong", "openapi.yaml:31 #"),
        ("things.yaml#/Thing", "nothing.yaml#/Thing", "fix the $ref or add its target"),
        ("{type: string, minLength: 2}", "{const: abc}", "write an enum of one value"),
        ("example: abc", "example: a", "#/paths/~1things~1{thing}/get/parameters/0/example"),
        ("          example: abc\n", "", "the parameter 'thing' has no example"),
        ("default: 5", "default: 11", "11 is greater than the maximum of 10"),
        ("size: 3, note: null", "size: -1", "breaks the schema of the response 200 at size: -1"),
        ("size: 3, note: null", "size: null", "None is not of type 'integer'"),
        ("              example: 3\n          content", "          content", "the header 'Age'"),
        ("      operationId: get_thing\n", "", "has no operationId"),
        ("tags: [things]", "tags: [other]", "needs one tag"),
        ("      summary: One thing\n", "", "has no summary"),
        ("/things/{thing}:", "/things/{thing}/{part}:", "{part} stands in the path"),
        ("/things/{thing}:", "/things:", "the parameter 'thing' does not stand in the path"),
    ],
)
def test_a_fault_of_a_rest_document_is_named(
    tmp_path: Path, old: str, new: str, fault: str
) -> None:
    faults = rest_faults(tmp_path, broken(small.REST, old, new))
    assert any(fault in line for line in faults), faults


def test_two_operations_of_one_name_are_both_named(tmp_path: Path) -> None:
    again = "  /things:\n    get:\n      operationId: get_thing\n      tags: [things]\n"
    again += "      summary: All\n      responses: {'200': {description: All.}}\n"
    faults = rest_faults(tmp_path, small.REST + again)
    assert len([line for line in faults if "'get_thing' names 2 operations" in line]) == 2


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("enum: [thing]", "const: thing", "things.yaml:5 #/Thing/properties/kind/const: const is"),
        (
            "minimum: 0",
            "exclusiveMinimum: 0",
            "things.yaml:6 #/Thing/properties/size/exclusiveMinimum: not",
        ),
        ("nullable: true", "minLength: 1", "breaks the schema of the response 200 at note"),
    ],
)
def test_a_fault_of_a_schema_file_is_named_where_it_stands(
    tmp_path: Path, old: str, new: str, fault: str
) -> None:
    faults = rest_faults(tmp_path, things=broken(small.THINGS, old, new))
    assert any(fault in line for line in faults), faults


def test_a_property_may_be_called_const(tmp_path: Path) -> None:
    things = broken(small.THINGS, "    kind:", "    const: {type: string}\n    kind:")
    assert rest_faults(tmp_path, things=things) == []


def test_a_sound_stream_document_has_no_fault(tmp_path: Path) -> None:
    assert stream_faults(tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("asyncapi: 3.1.0", "asyncapi: 3.1.0\nextra: 1", "extra"),
        ("sizes.yaml#/Size", "sizes.yaml#/Sizes", "leads nowhere"),
        (
            "{action: ask, size: 3}",
            "{action: ask, size: -3}",
            "/size: this example of 'ask' does not validate",
        ),
        ("      examples:\n        - payload: {type: answer}\n", "", "'answer' has no example"),
        (
            "          - {$ref: '#/components/messages/answer'}\n",
            "",
            "reply names /components/messages/answer, x-response does not",
        ),
        ("enum: [answer]", "const: answer", "write an enum of one value"),
        ("enum: [error]", "enum: [answer]", "distinguished by what validates first"),
    ],
)
def test_a_fault_of_a_stream_document_is_named(
    tmp_path: Path, old: str, new: str, fault: str
) -> None:
    faults = stream_faults(tmp_path, broken(small.STREAM, old, new))
    assert any(fault in line for line in faults), faults


def test_a_shared_schema_that_only_openapi_understands_is_named(tmp_path: Path) -> None:
    sizes = "Size: {type: integer, nullable: true}\n"
    assert stream_faults(tmp_path, sizes=sizes) == [
        "sizes.yaml:1 #/Size/nullable: JSON Schema passes nullable over: "
        "write anyOf with {enum: [null]}"
    ]


def test_one_name_for_two_schemas_is_named_with_both_places(tmp_path: Path) -> None:
    rest_faults(tmp_path)
    stream_faults(tmp_path, small.STREAM.replace("Answer", "Thing"))
    (finding,) = check_names(tmp_path / "openapi.yaml", tmp_path / "stream.yaml")
    assert "stream.yaml" in str(finding)
    assert "things.yaml" in str(finding)
