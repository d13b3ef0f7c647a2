"""The pydantic models of every schema in both documents."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

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

# JSON Schema calls 15.0 an integer; pydantic's strict integers do not.
_INTEGER = '''
def _whole(value: object) -> object:
    """A number without a fraction is an integer, as JSON Schema has it."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Integer: TypeAlias = Annotated[StrictInt, BeforeValidator(_whole)]
'''


def models_source(schemas: Mapping[str, object], *sources: str) -> str:
    """A module with one class for each object schema and one alias for each scalar."""
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
        generated = target.read_text()
    tree = ast.parse(generated).body
    imports = [ast.unparse(node) for node in tree if isinstance(node, _IMPORT)]
    end = max(node.end_lineno or 0 for node in tree if isinstance(node, _IMPORT))
    body = re.sub(r"\bStrictInt\b", "Integer", "".join(generated.splitlines(True)[end:]))
    return formatted(
        "\n".join(
            [
                head(*sources) + docstring("Every schema of both documents as a type.", indent=""),
                *imports,
                "from typing import TypeAlias",
                "from pydantic import BeforeValidator, StrictInt",
                _INTEGER,
                body,
            ]
        )
    )
