"""The parameters of an operation: parsed strictly and validated, once per request.

The handler gets the validated values; nothing is converted a second time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

import jsonschema_rs

from asyncapi_server import argument_name
from handlers.problem import Detail
from server.rest.schema import compile_schema, faults

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,38})", re.ASCII)
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_BOOLEANS = {"true": True, "false": False}


class ParameterError(Exception):
    """One or more parameters that break the contract."""

    def __init__(self, details: Sequence[Detail]) -> None:
        super().__init__("; ".join(f"{detail.field}: {detail.message}" for detail in details))
        self.details = tuple(details)


def _as_integer(text: str) -> object:
    return int(text) if _INTEGER.fullmatch(text) else text


def _as_boolean(text: str) -> object:
    return _BOOLEANS.get(text, text)


def _as_string(text: str) -> object:
    return text


# Text that does not parse as its type stays a string, which the schema then refuses.
_READERS: dict[str, Callable[[str], object]] = {
    "integer": _as_integer,
    "boolean": _as_boolean,
    "string": _as_string,
}


@dataclass(frozen=True, slots=True)
class _Kind:
    """A type that a parameter may have."""

    read: Callable[[str], object]
    validator: jsonschema_rs.Draft4Validator


@dataclass(frozen=True, slots=True)
class _Parameter:
    place: str
    """`query.limit`"""
    name: str
    argument: str
    """The name of the handler's argument."""
    required: bool
    kinds: tuple[_Kind, ...]
    """One, or the alternatives of a `oneOf`."""


class Parameters:
    """The parameters of one operation, by their definitions in the document.

    Raises ValueError for an unsupported definition: parameters in cookies, and types other than
    integer, boolean and string.
    """

    def __init__(
        self, definitions: Sequence[Mapping[str, Any]], *, passes_unknown: bool = False
    ) -> None:
        """With `passes_unknown`, undefined query parameters are ignored."""
        self._passes_unknown = passes_unknown
        self._path: list[_Parameter] = []
        self._query: dict[str, _Parameter] = {}
        self._headers: dict[bytes, _Parameter] = {}
        self.defaults: dict[str, object] = {}
        for definition in definitions:
            parameter = _compile(definition)
            match definition["in"]:
                case "path":
                    self._path.append(parameter)
                case "query":
                    self._query[parameter.name] = parameter
                case _:
                    self._headers[parameter.name.lower().encode()] = parameter
            if "default" in definition["schema"]:
                self.defaults[parameter.argument] = definition["schema"]["default"]

    @property
    def names(self) -> set[str]:
        """The argument names of the handler."""
        every = [*self._path, *self._query.values(), *self._headers.values()]
        return {parameter.argument for parameter in every}

    def read(
        self,
        path: Mapping[str, str],
        query_string: bytes,
        headers: Iterable[tuple[bytes, bytes]] = (),
    ) -> dict[str, object]:
        """The arguments for the handler, defaults included; raises `ParameterError`.

        `path` holds decoded values. An unknown or repeated query parameter is refused, because its
        meaning is ambiguous.
        """
        found: list[Detail] = []
        values = dict(self.defaults)
        for parameter in self._path:
            self._take(parameter, path[parameter.name], values, found)
        given: set[str] = set()
        for name, text in _pairs(query_string, found):
            known = self._query.get(name)
            if known is None and self._passes_unknown:
                continue
            if known is None:
                expected = ", ".join(self._query) or "none"
                found.append(
                    Detail(
                        f"query.{name[:50]}",
                        f"unknown parameter; this path takes {expected}",
                        "unknown",
                    )
                )
            elif name in given:
                found.append(Detail(known.place, "given more than once", "repeated"))
            else:
                given.add(name)
                self._take(known, text, values, found)
        if self._headers:
            for header, value in headers:
                named = self._headers.get(header)
                if named is not None:
                    given.add(named.name)
                    self._take(named, value.decode("latin-1"), values, found)
        found.extend(
            Detail(parameter.place, "required, but missing", "required")
            for parameter in (*self._query.values(), *self._headers.values())
            if parameter.required and parameter.name not in given
        )
        if found:
            raise ParameterError(found)
        return values

    @staticmethod
    def _take(
        parameter: _Parameter, text: str, values: dict[str, object], found: list[Detail]
    ) -> None:
        for kind in parameter.kinds:
            value = kind.read(text)
            if kind.validator.is_valid(value):
                values[parameter.argument] = value
                return
        # Text is a fault of the last alternative, a number that is out of bounds of its own.
        wrong = next((k for k in parameter.kinds if not isinstance(k.read(text), str)), kind)
        found.extend(faults(wrong.validator, wrong.read(text), parameter.place))


def _compile(definition: Mapping[str, Any]) -> _Parameter:
    place = f"{definition['in']}.{definition['name']}"
    schema = definition.get("schema", {})
    schemas = schema.get("oneOf", [schema])
    types = [each.get("type") for each in schemas]
    if definition["in"] not in ("path", "query", "header") or not _READERS.keys() >= set(types):
        raise ValueError(
            f"parameter {place} of type {types} is not served: parameters are integers, booleans "
            "and strings in the path, in the query and in headers"
        )
    return _Parameter(
        place,
        definition["name"],
        argument_name(definition["name"]),
        definition.get("required", False),
        tuple(
            _Kind(_READERS[kind], compile_schema(each))
            for kind, each in zip(types, schemas, strict=True)
        ),
    )


def _pairs(query_string: bytes, found: list[Detail]) -> list[tuple[str, str]]:
    """The decoded names and values of a query; decoding errors are added to `found`."""
    pairs = []
    for part in query_string.split(b"&"):
        if not part:
            continue
        name, _, value = part.partition(b"=")
        try:
            pairs.append((_decode(name), _decode(value)))
        except ValueError:
            shown = name.decode("ascii", "replace")[:50]
            found.append(Detail(f"query.{shown}", "not percent-encoded UTF-8"))
    return pairs


def _decode(part: bytes) -> str:
    """Raises ValueError (UnicodeError included) when this is not percent-encoded UTF-8."""
    text = part.decode("ascii").replace("+", " ")
    if "%" not in text:
        return text
    if _BROKEN_ESCAPE.search(text):
        raise ValueError("a percent sign without two hexadecimal digits")
    return unquote_to_bytes(text).decode()
