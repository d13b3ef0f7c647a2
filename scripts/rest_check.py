"""Finds the faults of the REST document, each with its place and a remedy."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import cast

from jsonschema import Draft4Validator
from jsonschema.exceptions import ValidationError

from asyncapi_server.errors import DocumentError
from asyncapi_server.findings import Finding
from scripts.bundle import Bundle, Object
from scripts.operations import METHODS

Pointer = tuple[str, ...]

_DATA = frozenset({"default", "enum", "example", "examples"})
"""Keys whose values are data, not schemas."""


def check_rest(path: Path) -> list[Finding]:
    """The faults of an OpenAPI 3.0 document and its schema files, sorted by place."""
    try:
        check = _Check(Bundle(path))
    except DocumentError as error:
        return list(error.findings)
    return sorted(set(check.findings()))


def json_schema(value: object, *, names: bool = False) -> object:
    """A schema of OpenAPI 3.0 as JSON Schema: `nullable` becomes a type.

    With `names` the value is an object of schemas by name.
    """
    if isinstance(value, list):
        return [json_schema(element) for element in value]
    if not isinstance(value, dict):
        return value
    result = {
        key: member
        if key in _DATA and not names
        else json_schema(member, names=key == "properties" and not names)
        for key, member in value.items()
    }
    if not names and result.pop("nullable", False) is True and "type" in result:
        result["type"] = [result["type"], "null"]
    return result


def keyword_uses(value: object, keyword: str, pointer: Pointer = ()) -> Iterator[Pointer]:
    """The places in a document, or in a part of it, where a schema uses a keyword."""
    if isinstance(value, list):
        for index, element in enumerate(value):
            yield from keyword_uses(element, keyword, (*pointer, str(index)))
    if not isinstance(value, dict):
        return
    names = pointer[-1:] == ("properties",)  # keys are property names, not keywords
    for key, member in value.items():
        if key == keyword and not names:
            yield (*pointer, key)
        elif names or key not in _DATA:
            yield from keyword_uses(member, keyword, (*pointer, key))


class _Check:
    """The checks of one document. Pointers are into the bundled document."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._document = bundle.document
        self._components = {"components": {"schemas": json_schema(bundle.schemas, names=True)}}

    def findings(self) -> Iterator[Finding]:
        # The later checks rely on the earlier ones having found nothing.
        form = [*self._constants()] or [*self._official()]
        yield from form
        if form:
            return
        yield from self._operations()
        for pointer, holder, what in self._holders():
            yield from self._examples(pointer, holder, what)

    def _finding(self, pointer: Pointer, text: str) -> Finding:
        return Finding(self._bundle.place(pointer), text)

    def _official(self) -> Iterator[Finding]:
        """Violations of the schema of OpenAPI 3.0, the one that Connexion validates with."""
        connexion = find_spec("connexion")
        folder = Path(connexion.origin or "").parent if connexion else Path()
        file = folder / "resources" / "schemas" / "v3.0" / "schema.json"
        validator = Draft4Validator(json.loads(file.read_bytes()))
        for error in validator.iter_errors(self._document):
            deepest = _deepest(error)
            pointer = tuple(map(str, deepest.absolute_path))
            yield self._finding(pointer, f"not OpenAPI 3.0: {_cut(deepest.message)}")

    def _constants(self) -> Iterator[Finding]:
        """Uses of `const`: Connexion fails on it or, in another file, ignores it."""
        for use in keyword_uses(self._document, "const"):
            yield self._finding(use, "const is not in OpenAPI 3.0: write an enum of one value")

    def _operations(self) -> Iterator[Finding]:
        operations = list(self._each_operation())
        names = Counter(operation.get("operationId") for _, _, operation in operations)
        tags = {tag["name"] for tag in cast(list[Object], self._document.get("tags", []))}
        for pointer, path, operation in operations:
            name = operation.get("operationId")
            if name is None:
                yield self._finding(pointer, "has no operationId: no handler can be found for it")
            elif names[name] > 1:
                yield self._finding(
                    (*pointer, "operationId"), f"{name!r} names {names[name]} operations: rename"
                )
            used = cast(list[str], operation.get("tags", []))
            if len(used) != 1 or used[0] not in tags:
                yield self._finding(pointer, "needs one tag, of those that the document lists")
            if "summary" not in operation:
                yield self._finding(pointer, "has no summary: say in a few words what it does")
            yield from self._path_parameters(pointer, path, operation)

    def _path_parameters(self, pointer: Pointer, path: str, operation: Object) -> Iterator[Finding]:
        item = cast(Mapping[str, Mapping[str, object]], self._document["paths"])[path]
        listed = [
            *cast(list[Object], item.get("parameters", [])),
            *cast(list[Object], operation.get("parameters", [])),
        ]
        resolved = [self._bundle.resolved(parameter) for parameter in listed]
        declared = {p["name"] for p in resolved if p["in"] == "path"}
        wanted = set(re.findall(r"\{([^}]+)\}", path))
        for name in sorted(wanted - declared):
            yield self._finding(
                pointer, f"{{{name}}} stands in the path: declare it as a parameter"
            )
        for name in sorted(cast(set[str], declared - wanted)):
            yield self._finding(pointer, f"the parameter {name!r} does not stand in the path")

    def _examples(self, pointer: Pointer, holder: Object, what: str) -> Iterator[Finding]:
        """Missing and invalid examples of a parameter, header or body."""
        schema = holder["schema"]
        examples: list[tuple[Pointer, object]] = [
            ((*pointer, "examples", name, "value"), cast(Object, example)["value"])
            for name, example in cast(Object, holder.get("examples", {})).items()
        ]
        if "example" in holder:
            examples.append(((*pointer, "example"), holder["example"]))
        if not examples:
            yield self._finding(pointer, f"{what} has no example: write one")
        default = self._bundle.resolved(cast(Object, schema)).get("default")
        if default is not None:
            examples.append(((*pointer, "schema", "default"), default))
        validator = Draft4Validator({**cast(Object, json_schema(schema)), **self._components})
        for place, value in examples:
            for error in validator.iter_errors(value):
                deepest = _deepest(error)
                where = "/".join(map(str, deepest.absolute_path)) or "it"
                yield self._finding(
                    place, f"breaks the schema of {what} at {where}: {_cut(deepest.message)}"
                )

    def _each_operation(self) -> Iterator[tuple[Pointer, str, Object]]:
        for path, item in cast(Mapping[str, Object], self._document.get("paths", {})).items():
            for method, operation in item.items():
                if method in METHODS:
                    yield ("paths", path, method), path, cast(Object, operation)

    def _holders(self) -> Iterator[tuple[Pointer, Object, str]]:
        """Everything with a schema and examples: parameters, headers and bodies."""
        components = cast(Mapping[str, Mapping[str, Object]], self._document["components"])
        for name, parameter in components.get("parameters", {}).items():
            yield ("components", "parameters", name), parameter, f"the parameter {name!r}"
        for name, header in components.get("headers", {}).items():
            yield ("components", "headers", name), header, f"the header {name!r}"
        for name, response in components.get("responses", {}).items():
            yield from _bodies(
                ("components", "responses", name), response, f"the response {name!r}"
            )
        for pointer, _, operation in self._each_operation():
            for index, value in enumerate(cast(list[Object], operation.get("parameters", []))):
                if "$ref" not in value:
                    what = f"the parameter {value['name']!r}"
                    yield (*pointer, "parameters", str(index)), value, what
            if "requestBody" in operation:
                body = cast(Object, operation["requestBody"])
                yield from _bodies((*pointer, "requestBody"), body, "the request body")
            for status, value in cast(Mapping[str, Object], operation["responses"]).items():
                what = f"the response {status}"
                yield from _bodies((*pointer, "responses", status), value, what)


def _bodies(pointer: Pointer, holder: Object, what: str) -> Iterator[tuple[Pointer, Object, str]]:
    """The headers and bodies of a response, and the bodies of a request."""
    for name, header in cast(Mapping[str, Object], holder.get("headers", {})).items():
        if "$ref" not in header:
            yield (*pointer, "headers", name), header, f"the header {name!r} of {what}"
    for media_type, body in cast(Mapping[str, Object], holder.get("content", {})).items():
        yield (*pointer, "content", media_type), body, what


def _deepest(error: ValidationError) -> ValidationError:
    """The most specific error: for a choice, the deepest one among its alternatives."""
    inner = [_deepest(each) for each in error.context or ()]
    further = [each for each in inner if len(each.absolute_path) > len(error.absolute_path)]
    return max(further, key=lambda each: len(each.absolute_path), default=error)


def _cut(text: str) -> str:
    return text if len(text) <= 200 else text[:197] + "..."
