"""Self-contained JSON Schemas: a schema and all that it refers to, in one value.

AsyncAPI's schemas are JSON Schema draft 7. Keywords that do not take part in validation are left
out, so the result is small, and equal for documents that promise the same.
"""

from __future__ import annotations

import jsonschema_rs

from asyncapi_server.document.source import Node

Validator = jsonschema_rs.Draft7Validator
DIALECT = "http://json-schema.org/draft-07/schema#"

_ONE = frozenset(
    {"additionalItems", "additionalProperties", "contains", "else", "if", "items", "not",
     "propertyNames", "then"}
)  # fmt: skip
_LIST = frozenset({"allOf", "anyOf", "items", "oneOf"})
_MAP = frozenset({"dependencies", "patternProperties", "properties"})
_DATA = frozenset(
    {"const", "enum", "exclusiveMaximum", "exclusiveMinimum", "format", "maxItems", "maxLength",
     "maxProperties", "maximum", "minItems", "minLength", "minProperties", "minimum",
     "multipleOf", "pattern", "required", "type", "uniqueItems"}
)  # fmt: skip


def validator(schema: dict[str, object]) -> Validator:
    """Compile a schema; raises ValueError when it is not valid.

    `format` is an annotation only. Nothing is ever fetched.
    """
    return Validator(schema, validate_formats=False, offline=True)


def bundle(node: Node) -> dict[str, object]:
    """The schema at `node` with every schema that it refers to under `definitions`.

    Raises DanglingReference when a reference leads nowhere.
    """
    bundler = _Bundler()
    top = bundler.schema(node.follow())
    schema: dict[str, object] = {"$schema": DIALECT}
    if top is not True:
        schema.update(top if isinstance(top, dict) else {"not": {}})
    if bundler.definitions:
        schema["definitions"] = dict(sorted(bundler.definitions.items()))
    return schema


class _Bundler:
    def __init__(self) -> None:
        self.definitions: dict[str, object] = {}
        self._names: dict[tuple[str, str], str] = {}

    def schema(self, node: Node) -> dict[str, object] | bool:
        """A copy of one schema with its references redirected to `definitions`."""
        if node.reference is not None:
            # Draft 7 ignores keywords beside a reference.
            return {"$ref": f"#/definitions/{self._define(node.follow())}"}
        if isinstance(node.value, bool):
            return node.value
        result: dict[str, object] = {}
        for keyword, member in node.items():
            if keyword in _DATA:
                result[keyword] = member.value
            elif keyword in _MAP:
                result[keyword] = {
                    name: child.value if isinstance(child.value, list) else self.schema(child)
                    for name, child in member.items()
                }
            elif keyword in _LIST and isinstance(member.value, list):
                result[keyword] = [self.schema(child) for child in member.elements()]
            elif keyword in _ONE:
                result[keyword] = self.schema(member)
        return result

    def _define(self, target: Node) -> str:
        """Define the target of a reference; returns its name under `definitions`."""
        known = self._names.get(target.identity)
        if known is not None:
            return known
        base = "".join(c if c.isalnum() or c in "-_." else "_" for c in target.key)
        name, taken = base, set(self._names.values())
        number = 2
        while name in taken:
            name, number = f"{base}_{number}", number + 1
        self._names[target.identity] = name
        self.definitions[name] = self.schema(target)
        return name
