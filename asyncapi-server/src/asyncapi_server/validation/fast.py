"""Validation by jsonschema-rs, the extra [fast]."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import jsonschema_rs

from asyncapi_server import pointer as jsonpointer
from asyncapi_server.validation.faults import SchemaFault

_Kind = jsonschema_rs.ValidationErrorKind


class FastValidator:
    """A schema, compiled."""

    def __init__(self, schema: Mapping[str, object] | bool) -> None:
        whole = dict(schema) if isinstance(schema, Mapping) else schema
        try:
            self._judge = jsonschema_rs.Draft7Validator(whole, validate_formats=False, offline=True)
        except jsonschema_rs.ValidationError as error:
            place = jsonpointer.join(error.instance_path)
            raise ValueError(f"{place or 'the schema'}: {error.message}") from None
        self.is_valid: Callable[[object], bool] = self._judge.is_valid
        """Whether a value meets the schema; the engine's own, without a call in between."""

    def first(self, value: object) -> SchemaFault | None:
        """One fault of a value; None when it has none.

        Of a large value it is much faster than `faults`, which finds all before it yields one.
        """
        try:
            self._judge.validate(value)
        except jsonschema_rs.ValidationError as error:
            return _fault(error)
        return None

    def faults(self, value: object) -> Iterator[SchemaFault]:
        """Every fault of a value."""
        return map(_fault, self._judge.iter_errors(value))


def _fault(error: jsonschema_rs.ValidationError) -> SchemaFault:
    kind = error.kind
    alternatives: tuple[tuple[SchemaFault, ...], ...] = ()
    if isinstance(kind, _Kind.AnyOf | _Kind.OneOfNotValid):
        alternatives = tuple(tuple(map(_fault, branch)) for branch in kind.context)
    return SchemaFault(
        path=tuple(error.instance_path),
        schema_path=tuple(error.schema_path),
        text=error.message,
        missing=kind.property if isinstance(kind, _Kind.Required) else None,
        alternatives=alternatives,
    )
