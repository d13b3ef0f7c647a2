"""The operations of a REST document, for the generators of servers and clients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from asyncapi_server import argument_name
from scripts.bundle import Bundle, Object

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
JSON = "application/json"
ERROR_MODELS = ("ErrorEnvelope", "ErrorAnswer")
"""Replies of this model are raised as exceptions, not returned by handlers."""

MEDIA_TYPES = "x-media-types"
"""The member of a query parameter that chooses the media type: that is no argument of its own."""

PYTHON_TYPES = {"integer": "int", "string": "str", "boolean": "bool", "number": "Decimal"}

_MAX_SAFE_INTEGER = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter in the path, the query or a header; `types` are those of JSON Schema."""

    name: str
    place: str
    types: tuple[str, ...]
    description: str
    required: bool
    default: object
    is_long: bool
    """Whether it is an integer that a JavaScript number may round."""

    @property
    def argument(self) -> str:
        """The name of its argument."""
        return argument_name(self.name)

    @property
    def python_type(self) -> str:
        """Its type in Python, a union where it has several."""
        return " | ".join(PYTHON_TYPES[each] for each in self.types)


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation; `replies` has the schema name of each status that is not an error."""

    name: str
    method: str
    path: str
    tag: str
    summary: str
    parameters: tuple[Parameter, ...]
    replies: dict[int, str]
    media_types: tuple[str, ...]
    """The media types of successful replies, JSON first; a client cannot choose of others."""

    @property
    def has_choice(self) -> bool:
        """Whether a request chooses between JSON and other media types."""
        return len(self.media_types) > 1 and JSON in self.media_types

    @property
    def model(self) -> str:
        """The single schema of all its replies."""
        models = set(self.replies.values())
        if len(models) != 1:
            raise ValueError(f"operation {self.name!r} must have one kind of reply: {models}")
        return models.pop()

    def placed(self, place: str) -> list[Parameter]:
        """The parameters of one place."""
        return [parameter for parameter in self.parameters if parameter.place == place]


def is_long(schema: Object) -> bool:
    """Whether values are integers that a JavaScript number may round."""
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
    for path, item in cast(Mapping[str, Object], bundle.document["paths"]).items():
        for method, value in item.items():
            if method not in METHODS:
                continue
            operation = cast(Object, value)
            parameters = [*_list(item, "parameters"), *_list(operation, "parameters")]
            contents = {
                int(status): cast(Mapping[str, Object], response["content"])
                for status, response in _responses(bundle, operation)
                if "content" in response
            }
            models = {
                s: _model(content[JSON]) for s, content in contents.items() if JSON in content
            }
            success = dict.fromkeys(t for s, each in contents.items() if s < 300 for t in each)
            yield Operation(
                name=cast(str, operation["operationId"]),
                method=method.upper(),
                path=path,
                tag=cast(list[str], operation["tags"])[0],
                summary=cast(str, operation["summary"]),
                parameters=tuple(
                    _parameter(bundle, parameter)
                    for parameter in map(bundle.resolved, parameters)
                    if MEDIA_TYPES not in parameter
                ),
                replies={s: model for s, model in models.items() if model not in ERROR_MODELS},
                media_types=tuple(sorted(success, key=lambda name: name != JSON)),
            )


def _responses(bundle: Bundle, operation: Object) -> Iterator[tuple[str, Object]]:
    for status, response in cast(Mapping[str, Object], operation["responses"]).items():
        yield status, bundle.resolved(response)


def _parameter(bundle: Bundle, value: Object) -> Parameter:
    schema = bundle.resolved(cast(Object, value["schema"]))
    kinds = cast(list[Object], schema.get("oneOf", [schema]))
    return Parameter(
        name=cast(str, value["name"]),
        place=cast(str, value["in"]),
        types=tuple(cast(str, kind["type"]) for kind in kinds),
        description=" ".join(cast(str, value.get("description", "")).split()),
        required=value.get("required") is True,
        default=schema.get("default"),
        is_long=any(map(is_long, kinds)),
    )


def _model(content: Object) -> str:
    return cast(Mapping[str, str], content["schema"])["$ref"].rsplit("/", 1)[1]


def _list(value: Object, key: str) -> list[Object]:
    return cast(list[Object], value.get(key, []))
