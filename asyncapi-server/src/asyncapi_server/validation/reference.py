"""Validation by jsonschema, which is the reference and runs everywhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any, cast

import jsonschema
from jsonschema.exceptions import SchemaError, ValidationError

from asyncapi_server import pointer as jsonpointer
from asyncapi_server.validation.faults import SchemaFault
from asyncapi_server.validation.patterns import compiled

Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError]]
_DATA = frozenset({"const", "default", "enum", "examples"})
_NO_FORMATS = jsonschema.FormatChecker(formats=())
_MAX_LISTED = 3
"""Candidates of an `enum` that are listed in a text."""


class ReferenceValidator:
    """A schema, with the keywords that Python and ECMA 262 see differently replaced."""

    def __init__(self, schema: Mapping[str, object] | bool) -> None:
        try:
            jsonschema.Draft7Validator.check_schema(schema, format_checker=_NO_FORMATS)
        except SchemaError as error:
            raise ValueError(_text(error)) from error
        except RecursionError as error:
            raise ValueError("the schema is nested too deeply") from error
        _check_patterns(schema)
        self._judge = _Draft7(schema)
        self._verdicts = _Verdicts(schema)

    def is_valid(self, value: object) -> bool:
        """Whether a value meets the schema."""
        return bool(self._verdicts.is_valid(value))

    def first(self, value: object) -> SchemaFault | None:
        """One fault of a value; None when it has none."""
        return next(self.faults(value), None)

    def faults(self, value: object) -> Iterator[SchemaFault]:
        """Every fault of a value."""
        return (_fault(error, value) for error in self._judge.iter_errors(value))


def _fault(error: ValidationError, value: object) -> SchemaFault:
    alternatives: tuple[tuple[SchemaFault, ...], ...] = ()
    if error.validator in ("anyOf", "oneOf") and error.context:
        branches: dict[int, list[SchemaFault]] = {}
        for inner in error.context:
            branches.setdefault(int(inner.schema_path[0]), []).append(_fault(inner, value))
        alternatives = tuple(tuple(branch) for _, branch in sorted(branches.items()))
    return SchemaFault(
        path=tuple(error.absolute_path),
        schema_path=_anchored(error.absolute_schema_path),
        text=_text(error),
        missing=cast("str | None", getattr(error, "missing", None)),
        alternatives=alternatives,
    )


class _Anchor(str):
    """The pointer of a definition, on the way of a schema path that leads through a reference."""

    __slots__ = ()


def _anchored(path: Iterable[str | int]) -> tuple[str | int, ...]:
    """A schema path from the last definition on."""
    steps: list[str | int] = []
    for step in path:
        if isinstance(step, _Anchor):
            steps = list(jsonpointer.tokens(step))
        else:
            steps.append(step)
    return tuple(steps)


def _reference(
    validator: Any, reference: str, instance: object, _: object
) -> Iterator[ValidationError]:
    for error in validator._validate_reference(ref=reference, instance=instance):
        error.relative_schema_path.appendleft(_Anchor(reference.lstrip("#")))
        yield error


def _required(
    validator: Any, required: list[str], instance: object, _: object
) -> Iterator[ValidationError]:
    if validator.is_type(instance, "object"):
        for name in required:
            if name not in cast("dict[str, object]", instance):
                yield _missing(name)


def _missing(name: str) -> ValidationError:
    error = ValidationError(f"{_json(name)} is a required property")
    error.missing = name  # type: ignore[attr-defined]
    return error


def _pattern(
    validator: Any, pattern: str, instance: object, _: object
) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and not compiled(pattern).search(str(instance)):
        yield ValidationError("")


def _pattern_properties(
    validator: Any, patterns: Mapping[str, object], instance: object, _: object
) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    for pattern, schema in patterns.items():
        for name, member in cast("dict[str, object]", instance).items():
            if compiled(pattern).search(name):
                yield from validator.descend(member, schema, path=name, schema_path=pattern)


def _additional_properties(
    validator: Any, rest: object, instance: object, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    members = cast("dict[str, object]", instance)
    patterns = [compiled(pattern) for pattern in schema.get("patternProperties", ())]
    extra = [
        name
        for name in members
        if name not in schema.get("properties", ()) and not any(p.search(name) for p in patterns)
    ]
    if rest is False and extra:
        listed = ", ".join(repr(name) for name in extra)
        verb = "was" if len(extra) == 1 else "were"
        text = f"Additional properties are not allowed ({listed} {verb} unexpected)"
        yield ValidationError(text)
    elif rest is not False:
        for name in extra:
            yield from validator.descend(members[name], rest, path=name)


def _dependencies(
    validator: Any, dependencies: Mapping[str, object], instance: object, _: object
) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    members = cast("dict[str, object]", instance)
    for name, needed in dependencies.items():
        if name in members and isinstance(needed, list):
            yield from (_missing(each) for each in needed if each not in members)
        elif name in members:
            yield from validator.descend(instance, needed, schema_path=name)


def _multiple_of(
    validator: Any, step: int | float, instance: object, _: object
) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "number"):
        return
    try:
        rest = Decimal(str(instance)) % Decimal(str(step))
    except InvalidOperation:  # the quotient has more digits than a Decimal is computed with
        rest = Decimal(int(cast(float, instance)) % int(step)) if step >= 1 else Decimal(0)
    if rest:
        yield ValidationError("")


_Draft7: Any = jsonschema.validators.extend(  # type: ignore[no-untyped-call]  # so its stubs
    jsonschema.Draft7Validator,
    {
        "$ref": _reference,
        "additionalProperties": _additional_properties,
        "dependencies": _dependencies,
        "multipleOf": _multiple_of,
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "required": _required,
    },
)


def _one_of_verdict(
    validator: Any, schemas: list[object], instance: object, _: object
) -> Iterator[ValidationError]:
    if len(list(islice(_admitting(validator, schemas, instance), 2))) != 1:
        yield ValidationError("")


def _any_of_verdict(
    validator: Any, schemas: list[object], instance: object, _: object
) -> Iterator[ValidationError]:
    if not any(True for _ in _admitting(validator, schemas, instance)):
        yield ValidationError("")


def _admitting(validator: Any, schemas: list[object], instance: object) -> Iterator[object]:
    return (each for each in schemas if validator.evolve(schema=each).is_valid(instance))


# Alternatives without their faults, which take time that grows with each level of a recursion.
_Verdicts: Any = jsonschema.validators.extend(  # type: ignore[no-untyped-call]  # so its stubs
    _Draft7, {"anyOf": _any_of_verdict, "oneOf": _one_of_verdict}
)


def _check_patterns(schema: object) -> None:
    """Raise ValueError when a pattern of a schema is none."""
    waiting = [schema]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        if not isinstance(value, Mapping):
            continue
        waiting += (member for keyword, member in value.items() if keyword not in _DATA)
        if isinstance(pattern := value.get("pattern"), str):
            compiled(pattern)
        if isinstance(patterns := value.get("patternProperties"), Mapping):
            for pattern in patterns:
                compiled(pattern)


def _text(error: ValidationError | SchemaError) -> str:
    """The sentence of a fault, as the faster engine has it."""
    value, keyword = _json(error.instance), str(error.validator)
    if keyword == "oneOf":
        number = "any" if error.context else "more than one"
        what = f"{number} of the schemas listed in the 'oneOf' keyword"
        return f"{value} is {'not ' if error.context else ''}valid under {what}"
    sentence = _SENTENCES.get(keyword)
    return error.message if sentence is None else sentence(value, error.validator_value)


def _items(number: object) -> str:
    return f"{number} {'item' if number == 1 else 'items'}"


def _characters(number: object) -> str:
    return f"{number} {'character' if number == 1 else 'characters'}"


def _properties(number: object) -> str:
    return f"{number} {'property' if number == 1 else 'properties'}"


def _listed(values: list[object]) -> str:
    shown = [_json(value) for value in values]
    if len(shown) > _MAX_LISTED:
        return f"{', '.join(shown[:2])} or {len(shown) - 2} other candidates"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"


def _typed(value: str, types: Any) -> str:
    if isinstance(types, list):
        return f"{value} is not of types {', '.join(sorted(map(_json, types)))}"
    return f"{value} is not of type {_json(types)}"


_SENTENCES: Mapping[str, Callable[[str, Any], str]] = {
    "anyOf": lambda value, _: (
        f"{value} is not valid under any of the schemas listed in the 'anyOf' keyword"
    ),
    "contains": lambda value, _: f"None of {value} are valid under the given schema",
    "const": lambda _, wanted: f"{_json(wanted)} was expected",
    "enum": lambda value, wanted: f"{value} is not one of {_listed(wanted)}",
    "maxItems": lambda value, n: f"{value} has more than {_items(n)}",
    "maxLength": lambda value, n: f"{value} is longer than {_characters(n)}",
    "maxProperties": lambda value, n: f"{value} has more than {_properties(n)}",
    "minItems": lambda value, n: f"{value} has less than {_items(n)}",
    "minLength": lambda value, n: f"{value} is shorter than {_characters(n)}",
    "minProperties": lambda value, n: f"{value} has less than {_properties(n)}",
    "multipleOf": lambda value, step: f"{value} is not a multiple of {_json(step)}",
    "not": lambda value, schema: f"{_json(schema)} is not allowed for {value}",
    "pattern": lambda value, pattern: f"{value} does not match {_json(pattern)}",
    "type": _typed,
    "uniqueItems": lambda value, _: f"{value} has non-unique elements",
}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
