"""The pydantic models of the schemas of an API."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping
from itertools import accumulate
from pathlib import Path
from typing import cast

from scripts.bundle import Object
from scripts.python_source import docstring, formatted, head

_OPTIONS = (
    "--input-file-type=openapi",
    "--output-model-type=pydantic_v2.BaseModel",
    "--target-python-version=3.11",
    "--disable-timestamp",
    "--ignore-pyproject",
    "--use-annotated",
    "--field-constraints",
    "--enum-field-as-literal=all",
    "--use-type-alias",  # a shared scalar is an alias of int or str, not a class around it
    "--strict-nullable",
    "--strict-refs",
    "--no-allow-remote-refs",
    "--use-schema-description",
    "--use-object-type",
    "--use-exact-imports",
    "--formatters=builtin",
)
_IMPORT = (ast.Import, ast.ImportFrom)
_STRICT = ("--strict-types", "str", "int", "float", "bool")

_INTEGER = '''
class _Whole:
    """Takes a number without a fraction for an integer, as JSON Schema does.

    It stands after the bounds, so that pydantic holds an integer to them without a call of Python.
    """

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        number = core_schema.union_schema(
            [
                core_schema.int_schema(strict=True),
                core_schema.no_info_after_validator_function(
                    lambda value: int(value) if value.is_integer() else value,
                    core_schema.float_schema(strict=True),
                ),
            ],
            mode="left_to_right",
        )
        return core_schema.chain_schema([number, handler(source)])


WHOLE: Final = _Whole()
Integer: TypeAlias = Annotated[StrictInt, WHOLE]
'''


def models_source(
    schemas: Mapping[str, object],
    *sources: str,
    facts: str = "",
    enumerations: Collection[str] = (),
) -> str:
    """A module with one class for each object schema and one alias for each scalar.

    The `enumerations` are imported from the module `facts`; others are literals.
    """
    document = {
        "openapi": "3.0.3",
        "info": {"title": "", "version": ""},
        "paths": {},
        "components": {"schemas": dict(sorted(schemas.items()))},
    }
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "schemas.json")
        target = Path(folder, "models.py")
        source.write_text(json.dumps(document))
        run = subprocess.run(
            [
                *(sys.executable, "-m", "datamodel_code_generator", *_OPTIONS, *_STRICT),
                *("--input", str(source), "--output", str(target)),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode:
            raise RuntimeError(f"datamodel-codegen failed:\n{run.stderr}")
        generated = _with_whole_numbers(target.read_text())
    tree = ast.parse(generated).body
    lines = generated.splitlines(keepends=True)
    body = "\n\n".join(
        "".join(lines[node.lineno - 1 : node.end_lineno])
        for node in tree
        if not isinstance(node, _IMPORT) and _name(node) not in enumerations
    )
    imports = [ast.unparse(node) for node in tree if isinstance(node, _IMPORT)]
    if enumerations:
        imports.append(f"from {facts} import {', '.join(sorted(enumerations))}")
    return formatted(
        "\n".join(
            [
                head(*sources) + docstring("Every schema of the documents as a type.", indent=""),
                *imports,
                "from typing import Final, TypeAlias",
                "from pydantic import GetCoreSchemaHandler, StrictInt",
                "from pydantic_core import core_schema",
                _INTEGER,
                body,
            ]
        )
    )


def modelled(schemas: Mapping[str, object]) -> dict[str, object]:
    """The schemas that can have models; those that contain a tuple have encoders instead."""
    kept: dict[str, object] = {
        name: _without_conditions(cast(Object, schema)) for name, schema in schemas.items()
    }
    while tuples := [name for name, schema in kept.items() if _has_tuple(schema, kept)]:
        for name in tuples:
            del kept[name]
    return kept


def _without_conditions(schema: Object) -> Object:
    """An object schema without alternatives that only list required members."""
    alternatives = cast(list[Object], schema.get("anyOf", []))
    if "properties" in schema and all(set(each) == {"required"} for each in alternatives):
        return {key: value for key, value in schema.items() if key != "anyOf"}
    return schema


def _has_tuple(value: object, known: Mapping[str, object]) -> bool:
    """Whether a value contains a tuple, or refers to a schema that is not known."""
    if isinstance(value, list):
        return any(_has_tuple(element, known) for element in value)
    if not isinstance(value, dict):
        return False
    described = cast(Object, value)
    reference = described.get("$ref")
    if isinstance(reference, str):
        return reference.rsplit("/", 1)[1] not in known
    is_tuple = described.get("type") == "array" and isinstance(described.get("items"), list)
    return is_tuple or any(_has_tuple(member, known) for member in described.values())


def _with_whole_numbers(source: str) -> str:
    """The same models, whose integers may be numbers without a fraction."""
    text = source.encode()  # columns of the tree are in bytes
    starts = [0, *accumulate(map(len, text.splitlines(keepends=True)))]
    edits: dict[tuple[int, int], bytes] = {}
    bounded: set[ast.expr] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Subscript(
                ast.Name("Annotated"), ast.Tuple([ast.Name("StrictInt") as kind, *_, last])
            ):
                bounded.add(kind)
                end = starts[(last.end_lineno or 0) - 1] + (last.end_col_offset or 0)
                edits[end, end] = b", WHOLE"
            case ast.Name("StrictInt") if node not in bounded:
                start = starts[node.lineno - 1] + node.col_offset
                edits[start, start + len(node.id)] = b"Integer"
    for (start, end), new in sorted(edits.items(), reverse=True):
        text = text[:start] + new + text[end:]
    return text.decode()


def _name(node: ast.stmt) -> str:
    """The name that a top-level statement defines, or an empty text."""
    if isinstance(node, ast.ClassDef):
        return node.name
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return ""
