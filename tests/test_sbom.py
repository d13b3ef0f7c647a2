"""The list of what the program is made of is valid, and whole."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urljoin

import cyclonedx.schema
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from scripts.sbom import LOCK, SBOM, sbom
from server.site.licences import VENDORED

SCHEMAS = Path(cyclonedx.schema.__file__).parent / "_res"


def test_the_list_is_valid_and_up_to_date() -> None:
    text = SBOM.read_text("utf-8")
    schemas = {path.name: json.loads(path.read_bytes()) for path in SCHEMAS.glob("*.schema.json")}
    schema = schemas["bom-1.6.SNAPSHOT.schema.json"]
    registry = Registry().with_resources(
        (urljoin(schema["$id"], name), Resource.from_contents(each))
        for name, each in schemas.items()
    )
    assert list(Draft7Validator(schema, registry=registry).iter_errors(json.loads(text))) == []
    assert text == sbom(), "run `make generate`"


def test_everything_is_in_it_with_its_licence() -> None:
    listed = {each["name"]: each for each in json.loads(SBOM.read_bytes())["components"]}
    pinned = dict(re.findall(r"^([\w.-]+)==([^\s;\\]+)", LOCK.read_text(), re.MULTILINE))
    assert listed.keys() == {*pinned, *(name for name, _, _ in VENDORED)}
    assert {name: listed[name]["version"] for name in pinned} == pinned
    without = {name for name, each in listed.items() if "licenses" not in each}
    assert without <= {"colorama", "tzdata", "win32-setctime"}, "for another platform"
