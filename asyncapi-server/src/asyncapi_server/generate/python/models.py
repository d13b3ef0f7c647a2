"""Pydantic models of definitions, by datamodel-code-generator."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping

from datamodel_code_generator import InputFileType, LiteralType, PythonVersion, generate
from datamodel_code_generator.enums import DataModelType
from pydantic import BaseModel

from asyncapi_server.generate.naming import Names, variable
from asyncapi_server.generate.python.formatting import FUTURE
from asyncapi_server.generate.python.types import PythonTypes
from asyncapi_server.generate.shapes import (
    Array,
    Choice,
    Constants,
    Definition,
    Dictionary,
    Kind,
    Named,
    Object,
    Scalar,
    Shape,
    Tuple,
)
from asyncapi_server.generate.texts import clean, docstring

_PROTECTED = ("model_dump", "model_validate")
"""Pydantic warns of members whose names begin so."""
_IN_TYPES = frozenset(
    {"Annotated", "Any", "ConfigDict", "Decimal", "Field", "Integer", "Literal", "None", "bool",
     "dict", "float", "list", "str", "tuple"}
)  # fmt: skip
_RESERVED = frozenset(dir(BaseModel)) | _IN_TYPES
"""What no attribute is named like: it would hide a method or a type."""
_HERE = "_here"
"""Stands for the module itself in what is defined above the generated classes."""
_CUSTOM = re.compile(
    r"    model_config = ConfigDict\(\n        arbitrary_types_allowed=True,\n    \)\n"
    r"|(?<=,\n)        arbitrary_types_allowed=True,\n"
)
"""What the generator adds for types of this module, and they do not need."""
_IMPORTS = (
    "from decimal import Decimal\n"
    "from typing import Annotated, Any, Literal, TypeAlias\n"
    "from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, RootModel\n"
    "from typing_extensions import TypeAliasType\n"
)
_BASE = '''
class Model(BaseModel):
    """An object of the document. Members that the document does not name are kept."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)
'''
_INTEGER = '''
def _whole(value: object) -> object:
    """A number without a fraction is an integer, as JSON Schema has it."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Integer: TypeAlias = Annotated[int, BeforeValidator(_whole)]
'''


def models_source(definitions: Mapping[str, Definition], messages: Collection[str]) -> str:
    """A module with a class for each object and each of the `messages`, and aliases for the rest.

    A message that is no object is a class with the member `root`.
    """
    roots = {
        name: definition
        for name, definition in definitions.items()
        if name in messages and not isinstance(definition.shape, Object)
    }
    generated = _generated({name: d for name, d in definitions.items() if name not in roots})
    types = PythonTypes(named=lambda name: name, integer="Integer")
    classes = [_BASE] if re.search(r"\(Model\):$", generated, re.MULTILINE) else []
    classes.append(generated)
    classes += [
        f"class {name}(RootModel[{types.of(definition.shape)}]):\n"
        f"{docstring(definition.description or 'A message that is no object.')}"
        for name, definition in roots.items()
    ]
    body = "\n\n".join(classes)
    whole = _INTEGER if re.search(r"\bInteger\b", body) else ""
    return f'"""The models of all messages."""\n{FUTURE}{_IMPORTS}\n{whole}\n\n{body}\n'


def _generated(definitions: Mapping[str, Definition]) -> str:
    names = {
        f"{definition.name}.{member}": name
        for definition in definitions.values()
        if isinstance(definition.shape, Object)
        for member, name in attributes(definition.shape, definitions).items()
        if member != name
    }
    if not definitions:
        return ""
    text = generate(
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "definitions": {
                name: {**_schema(each.shape, bounded=True), **_described(each.description)}
                for name, each in definitions.items()
            },
        },
        input_file_type=InputFileType.JsonSchema,
        output_model_type=DataModelType.PydanticV2BaseModel,
        target_python_version=PythonVersion.PY_311,
        aliases=names,
        base_class=f"{_HERE}.Model",
        enum_field_as_literal=LiteralType.All,
        field_constraints=True,
        formatters=[],
        skip_root_model=True,
        strict_nullable=True,
        use_annotated=True,
        use_exact_imports=True,
        use_schema_description=True,
        use_tuple_for_fixed_items=True,
        use_type_alias=True,
    )
    if not isinstance(text, str):
        raise TypeError(f"datamodel-code-generator made {type(text).__name__} of definitions")
    tree = ast.parse(text).body
    lines = text.splitlines(keepends=True)
    return "\n\n".join(
        _CUSTOM.sub("", "".join(lines[node.lineno - 1 : node.end_lineno]))
        for node in tree
        if not isinstance(node, ast.Import | ast.ImportFrom)
    )


def attributes(shape: Object, types: Collection[str]) -> dict[str, str]:
    """The attribute of each member of an object; its own name where Python and pydantic let it.

    No attribute has the name of another member, which pydantic would take for it.
    """
    reserved = {*_RESERVED, *types}
    wanted = {member.name: _attribute(member.name, reserved) for member in shape.members}
    names = Names(wanted)
    return {
        member: name if member == name else names.claim(name) for member, name in wanted.items()
    }


def _attribute(name: str, reserved: Collection[str]) -> str:
    found = variable(name, "field_", reserved)
    return f"field_{found}" if found.startswith(_PROTECTED) else found


def _schema(shape: Shape, *, bounded: bool = False) -> dict[str, object]:
    """A shape as the plainest schema, with bounds where they stand by themselves."""
    match shape:
        case Scalar():
            return {**_scalar(shape.kind), **(shape.bounds if bounded else {})}
        case Constants(values):
            return {"type": "null"} if values == (None,) else {"enum": list(values)}
        case Named(name):
            return {"$ref": f"#/definitions/{name}"}
        case Array(items):
            return {"type": "array", "items": _schema(items)}
        case Tuple():
            return _tuple(shape)
        case Dictionary(values):
            return {"type": "object", "additionalProperties": _schema(values)}
        case Object():
            return _object(shape)
        case Choice(parts):
            return {"anyOf": [_schema(part) for part in parts]}
    return {}


def _scalar(kind: Kind) -> dict[str, object]:
    if kind == "integer":
        return {"type": kind, "customTypePath": f"{_HERE}.Integer"}
    return {"type": "number", "format": kind} if kind == "decimal" else {"type": kind}


def _tuple(shape: Tuple) -> dict[str, object]:
    size = len(shape.items)
    if not shape.is_fixed or not size:
        return {"type": "array", "items": {}}
    each = [_schema(item) for item in shape.items]
    return {"type": "array", "items": each, "minItems": size, "maxItems": size}


def _object(shape: Object) -> dict[str, object]:
    """An object without a member that has no name: pydantic keeps it as it keeps any other."""
    members = [member for member in shape.members if member.name]
    is_closed = shape.is_closed and len(members) == len(shape.members)
    return {
        "type": "object",
        "properties": {
            member.name: {
                **_schema(member.shape, bounded=True),
                **_described(member.description),
            }
            for member in members
        },
        "required": [member.name for member in members if member.is_required],
        **({"additionalProperties": False} if is_closed else {}),
    }


def _described(text: str) -> dict[str, object]:
    cleaned = clean(text)
    return {"description": cleaned} if cleaned else {}
