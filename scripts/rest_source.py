"""The handler Protocols and the routing table of the REST document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from scripts.bundle import Bundle
from scripts.python_source import docstring, formatted, head

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
JSON = "application/json"
ERROR_MODEL = "ErrorEnvelope"
"""Replies of this model are raised as exceptions, not returned by handlers."""

_TYPES = {"integer": "int", "string": "str", "boolean": "bool", "number": "Decimal"}

_PREAMBLE = '''
@dataclass(frozen=True, slots=True)
class Raw:
    """A body that is encoded already, or the pieces of one that is streamed."""

    body: bytes | AsyncIterable[bytes]
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """One entry of the routing table.

    `path` is below BASE_PATH. `replies` has the model of each status that a handler may give as
    JSON; any other one is an ErrorEnvelope. Where `media_types` has more than JSON the handler is
    told by `media_type` which one the client wants; all but JSON are given as Raw.
    """

    operation_id: str
    method: str
    path: str
    tag: str
    replies: Mapping[int, type[BaseModel]]
    media_types: tuple[str, ...] = (JSON,)
'''

Object = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Parameter:
    name: str
    place: str
    type: str
    required: bool
    default: object

    @property
    def source(self) -> str:
        """Its place in a signature."""
        optional = not self.required and self.default is None
        kind = f"{self.type} | None" if optional else self.type
        return f"{self.name}: {kind}" + ("" if self.required else f" = {self.default!r}")


@dataclass(frozen=True, slots=True)
class _Operation:
    name: str
    method: str
    path: str
    tag: str
    summary: str
    parameters: tuple[_Parameter, ...]
    replies: dict[int, str]
    """Model names by status, errors left out."""
    media_types: tuple[str, ...]
    """What a successful reply may come as, JSON first."""

    @property
    def returned(self) -> str:
        """The type of what the handler gives back."""
        kinds = [
            model if 200 <= status < 300 else f"tuple[{model}, Literal[{status}]]"
            for status, model in self.replies.items()
        ]
        return " | ".join([*dict.fromkeys(kinds), "Raw"])

    @property
    def method_source(self) -> str:
        """The abstract method that a handler class has to have."""
        signature = [p.name + f": {p.type}" for p in self.parameters if p.place == "path"]
        queries = [p.source for p in self.parameters if p.place == "query"]
        if len(self.media_types) > 1:
            kinds = ", ".join(map(repr, self.media_types))
            queries.append(f"media_type: Literal[{kinds}] = {JSON!r}")
        if queries:
            signature += ["*", *queries]
        return (
            f"    @abstractmethod\n    async def {self.name}({', '.join(['self', *signature])})"
            f" -> {self.returned}:\n{docstring(self.summary + '.', '        ')}\n"
        )

    @property
    def entry_source(self) -> str:
        """Its entry in the routing table."""
        replies = ", ".join(f"{status}: {model}" for status, model in self.replies.items())
        types = f", {self.media_types!r}" if len(self.media_types) > 1 else ""
        return (
            f"    {self.name!r}: Operation({self.name!r}, {self.method.upper()!r}, "
            f"{self.path!r}, {self.tag!r}, {{{replies}}}{types}),\n"
        )


def rest_source(bundle: Bundle, source: str) -> str:
    """A module with one Protocol for each tag, and the routing table."""
    document = bundle.document
    operations = list(_operations(document))
    models = sorted({model for operation in operations for model in operation.replies.values()})
    protocols = [
        f"class {cast(str, tag['name']).title()}Handlers(Protocol):\n"
        f"{docstring(cast(str, tag['description']))}\n\n"
        + "\n".join(o.method_source for o in operations if o.tag == tag["name"])
        for tag in cast(list[Object], document["tags"])
    ]
    info = cast(Object, document["info"])
    server = cast(list[Object], document["servers"])[0]
    base = urlsplit(cast(str, server["url"])).path
    return formatted(
        f"""{head(source)}"""
        f'"""What each REST operation is called with, and what it gives."""\n\n'
        "from __future__ import annotations\n"
        "from abc import abstractmethod\n"
        "from collections.abc import AsyncIterable, Mapping\n"
        "from dataclasses import dataclass, field\n"
        "from decimal import Decimal\n"
        "from typing import Final, Literal, Protocol\n"
        "from pydantic import BaseModel\n"
        f"from generated.models import {', '.join(models)}\n\n"
        f"VERSION: Final = {info['version']!r}\n"
        '"""Version of the document."""\n'
        f"BASE_PATH: Final = {base!r}\n"
        f"JSON: Final = {JSON!r}\n"
        f"{_PREAMBLE}\n\n" + "\n\n".join(protocols) + "\n\n"
        "OPERATIONS: Final[Mapping[str, Operation]] = {\n"
        + "".join(operation.entry_source for operation in operations)
        + "}\n"
        '"""The routing table, by operation id."""\n'
    )


def _operations(document: Object) -> Iterator[_Operation]:
    for path, item in cast(Mapping[str, Object], document["paths"]).items():
        for method, value in item.items():
            if method not in METHODS:
                continue
            operation = cast(Object, value)
            parameters = cast(
                list[Object], [*_list(item, "parameters"), *_list(operation, "parameters")]
            )
            yield _Operation(
                name=cast(str, operation["operationId"]),
                method=method,
                path=path,
                tag=cast(list[str], operation["tags"])[0],
                summary=cast(str, operation["summary"]),
                parameters=tuple(_parameter(document, p) for p in parameters),
                replies=dict(_replies(document, operation)),
                media_types=_media_types(document, operation),
            )


def _parameter(document: Object, parameter: Object) -> _Parameter:
    parameter = _resolved(document, parameter)
    schema = _resolved(document, cast(Object, parameter["schema"]))
    return _Parameter(
        name=cast(str, parameter["name"]),
        place=cast(str, parameter["in"]),
        type=_TYPES[cast(str, schema["type"])],
        required=parameter.get("required") is True,
        default=schema.get("default"),
    )


def _replies(document: Object, operation: Object) -> Iterator[tuple[int, str]]:
    for status, value in cast(Mapping[str, Object], operation["responses"]).items():
        response = _resolved(document, value)
        content = cast(Mapping[str, Object], response["content"])
        schema = cast(Object, content[JSON]["schema"])
        model = cast(str, schema["$ref"]).rsplit("/", 1)[1]
        if model != ERROR_MODEL:
            yield int(status), model


def _media_types(document: Object, operation: Object) -> tuple[str, ...]:
    """The media types of successful replies, JSON first, then in the order of the document."""
    types = {JSON: None}
    for status, value in cast(Mapping[str, Object], operation["responses"]).items():
        if status.startswith("2"):
            types |= dict.fromkeys(cast(Mapping[str, None], _resolved(document, value)["content"]))
    return tuple(types)


def _list(value: Object, key: str) -> list[object]:
    return cast(list[object], value.get(key, []))


def _resolved(document: Object, value: Object) -> Object:
    """The value, or what it refers to in the bundled document."""
    while isinstance(reference := value.get("$ref"), str):
        target: object = document
        for token in reference.removeprefix("#/").split("/"):
            target = cast(Object, target)[token]
        value = cast(Object, target)
    return value
