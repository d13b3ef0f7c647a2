"""OpenAPI 3.0 schemas, a dialect of JSON Schema Draft 4, validated by jsonschema-rs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsonschema_rs

from handlers.problem import Detail

INTEGER_BOUNDS = {
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
}
MAX_DETAILS = 20
MAX_DETAIL_CHARACTERS = 300

# Matches in linear time for any input; a pattern with look-around fails at startup.
_PATTERNS = jsonschema_rs.RegexOptions()


def compile_schema(schema: Mapping[str, Any]) -> jsonschema_rs.Draft4Validator:
    """Compile a validator of one schema whose references are all resolved.

    Raises ValueError for an unusable schema.
    """
    return jsonschema_rs.Draft4Validator(to_draft4(schema), pattern_options=_PATTERNS)


def to_draft4(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The same constraints in Draft 4: `nullable` and the integer formats are spelled out."""
    converted = {
        keyword: _convert(keyword, value)
        for keyword, value in schema.items()
        if keyword not in ("nullable", "components", "example", "discriminator")
    }
    bounds = INTEGER_BOUNDS.get(schema.get("format", ""))
    if bounds is not None and schema.get("type") == "integer":
        converted["minimum"] = max(bounds[0], schema.get("minimum", bounds[0]))
        converted["maximum"] = min(bounds[1], schema.get("maximum", bounds[1]))
    if schema.get("nullable") is True and "type" in schema:
        # An enum has to name null itself (OpenAPI 3.0.3, proposal 2019-10-31).
        converted["type"] = [schema["type"], "null"]
    return converted


def _convert(keyword: str, value: Any) -> Any:
    if keyword in ("enum", "default"):
        return value
    if keyword == "properties":
        return {name: to_draft4(schema) for name, schema in value.items()}
    if isinstance(value, Mapping):
        return to_draft4(value)
    if isinstance(value, list):
        return [to_draft4(item) if isinstance(item, Mapping) else item for item in value]
    return value


def faults(
    validator: jsonschema_rs.Draft4Validator, value: object, place: str
) -> tuple[Detail, ...]:
    """The first `MAX_DETAILS` validation errors of a value; `place` is its location."""
    found = []
    for error in validator.iter_errors(value):
        field = ".".join((place, *map(str, error.instance_path)))
        message = error.message
        if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Enum):
            # The library names two of them.
            message = f"{error.instance!r} is none of {', '.join(map(str, error.kind.options))}"
        message = message[:MAX_DETAIL_CHARACTERS]
        found.append(Detail(field[:MAX_DETAIL_CHARACTERS], message, error.kind.name))
        if len(found) == MAX_DETAILS:
            break
    return tuple(found)
