"""The operations of the REST document, as generators of clients need them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from scripts.bundle import Bundle
from scripts.rest_source import ERROR_MODEL, METHODS

Object = Mapping[str, object]

_MAX_SAFE_INTEGER = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter in the path or the query; `type` is a JSON Schema type."""

    name: str
    place: str
    type: str
    description: str
    required: bool
    is_long: bool
    """Whether it is a whole number that a JavaScript number may not hold."""


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation; `replies` has the schema name of each status that is not an error."""

    name: str
    method: str
    path: str
    summary: str
    parameters: tuple[Parameter, ...]
    replies: dict[int, str]

    @property
    def model(self) -> str:
        """The one schema of all its replies."""
        models = set(self.replies.values())
        if len(models) != 1:
            raise ValueError(f"operation {self.name!r} has to have one kind of reply: {models}")
        return models.pop()

    def placed(self, place: str) -> list[Parameter]:
        """The parameters of the path or of the query."""
        return [parameter for parameter in self.parameters if parameter.place == place]


def is_long(schema: Object) -> bool:
    """Whether values are whole numbers that a JavaScript number may not hold."""
    most = cast(int, schema.get("maximum", _MAX_SAFE_INTEGER + 1))
    return (
        schema.get("type") == "integer"
        and schema.get("format") == "int64"
        and most > _MAX_SAFE_INTEGER
    )


def base_path(bundle: Bundle) -> str:
    """The path of the first server."""
    server = cast(list[Mapping[str, str]], bundle.document["servers"])[0]
    return urlsplit(server["url"]).path


def operations(bundle: Bundle) -> Iterator[Operation]:
    """Every operation in the order of the document."""
    document = bundle.document
    for path, item in cast(Mapping[str, Object], document["paths"]).items():
        for method, value in item.items():
            if method not in METHODS:
                continue
            operation = cast(Object, value)
            parameters = [*_list(item, "parameters"), *_list(operation, "parameters")]
            yield Operation(
                name=cast(str, operation["operationId"]),
                method=method.upper(),
                path=path,
                summary=cast(str, operation["summary"]),
                parameters=tuple(_parameter(document, parameter) for parameter in parameters),
                replies=dict(_replies(document, operation)),
            )


def _parameter(document: Object, value: Object) -> Parameter:
    value = _resolved(document, value)
    schema = _resolved(document, cast(Object, value["schema"]))
    return Parameter(
        name=cast(str, value["name"]),
        place=cast(str, value["in"]),
        type=cast(str, schema["type"]),
        description=" ".join(cast(str, value.get("description", "")).split()),
        required=value.get("required") is True,
        is_long=is_long(schema),
    )


def _replies(document: Object, operation: Object) -> Iterator[tuple[int, str]]:
    for status, value in cast(Mapping[str, Object], operation["responses"]).items():
        content = cast(Mapping[str, Object], _resolved(document, value)["content"])
        schema = cast(Mapping[str, str], content["application/json"]["schema"])
        model = schema["$ref"].rsplit("/", 1)[1]
        if model != ERROR_MODEL:
            yield int(status), model


def _list(value: Object, key: str) -> list[Object]:
    return cast(list[Object], value.get(key, []))


def _resolved(document: Object, value: Object) -> Object:
    while isinstance(reference := value.get("$ref"), str):
        target: object = document
        for token in reference.removeprefix("#/").split("/"):
            target = cast(Object, target)[token]
        value = cast(Object, target)
    return value
