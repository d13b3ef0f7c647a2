"""The content of an OpenAPI document, as plain data for a page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from asyncapi_server.docs import Line, Row, Sample, rows, shown, summary
from asyncapi_server.document.source import Library, Node

METHODS = ("get", "put", "post", "delete", "patch")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a request."""

    name: str
    place: str
    required: bool
    row: Row
    description: str


@dataclass(frozen=True, slots=True)
class Response:
    """One status of an operation."""

    status: str
    description: str
    types: tuple[str, ...]
    """Its media types."""
    rows: tuple[Line, ...]
    examples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error status that several operations share."""

    anchor: str
    response: Response


@dataclass(frozen=True, slots=True)
class Operation:
    """A path with a method. Descriptions are Markdown."""

    name: str
    method: str
    path: str
    tag: str
    summary: str
    description: str
    parameters: tuple[Parameter, ...]
    responses: tuple[Response, ...]
    """The successful ones."""
    refusals: tuple[Refusal, ...]
    command: str
    """A curl command that calls it."""


@dataclass(frozen=True, slots=True)
class RestDescription:
    """The whole document."""

    title: str
    version: str
    description: str
    operations: tuple[Operation, ...]
    refusals: tuple[Refusal, ...]
    """All refusals without duplicates, by status."""


def describe_rest(path: Path, host: str) -> RestDescription:
    """Describe an OpenAPI 3.0 document; `host` is the server in the curl commands."""
    root = Library().open(path)
    servers = root.get("servers", 0)
    base = (servers.text("url") if servers else None) or ""
    refusals = _Refusals()
    operations = []
    for address, item in root.items_of("paths"):
        for method, node in item.items():
            if method in METHODS:
                operations.append(_operation(f"{base}{address}", method, node, host, refusals))
    info = root.get("info") or root
    return RestDescription(
        title=info.text("title") or "",
        version=info.text("version") or "",
        description=info.text("description") or "",
        operations=tuple(operations),
        refusals=tuple(sorted(refusals.known.values(), key=lambda each: each.anchor)),
    )


class _Refusals:
    """Assigns an anchor to each refusal; equal ones share it."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], Refusal] = {}

    def of(self, response: Response) -> Refusal:
        key = response.status, response.description
        if key not in self.known:
            same = sum(status == response.status for status, _ in self.known)
            anchor = f"refusal-{response.status}{f'-{same + 1}' if same else ''}"
            self.known[key] = Refusal(anchor, response)
        return self.known[key]


def _operation(path: str, method: str, node: Node, host: str, refusals: _Refusals) -> Operation:
    parameters = tuple(_parameters(node))
    responses = tuple(_responses(node))
    tags = node.get("tags", 0)
    return Operation(
        name=node.text("operationId") or f"{method}{path}",
        method=method.upper(),
        path=path,
        tag=str(tags.value) if tags else "",
        summary=node.text("summary") or "",
        description=_description(node),
        parameters=parameters,
        responses=tuple(each for each in responses if each.status < "4"),
        refusals=tuple(refusals.of(each) for each in responses if each.status >= "4"),
        command=_command(path, method, node, host),
    )


def _description(node: Node) -> str:
    """The purpose of an operation, and the scope of its key where that is not `read`."""
    written, scope = node.text("description") or "", node.text("x-scope")
    if scope is None:
        return written
    return f"{written}\n\nWhere the server has keys this needs one with the scope `{scope}`."


def _parameters(node: Node) -> Iterator[Parameter]:
    declared = node.raw("parameters")
    for element in declared.elements() if declared else ():
        parameter = element.follow()
        schema = parameter.raw("schema")
        if schema is not None:
            row = summary(schema)
            description = parameter.text("description") or row.description
            place = parameter.text("in") or ""
            name, required = parameter.text("name") or "", _required(parameter)
            yield Parameter(name, place, required, row, description)


def _required(parameter: Node) -> bool:
    required = parameter.raw("required")
    return required is not None and required.value is True


def _responses(node: Node) -> Iterator[Response]:
    for status, element in node.items_of("responses"):
        response = element.follow()
        content = response.get("content", "application/json")
        schema = content.raw("schema") if content else None
        yield Response(
            status=status,
            description=response.text("description") or "",
            types=tuple(kind for kind, _ in response.items_of("content")),
            rows=tuple(rows(schema)) if schema is not None else (),
            examples=tuple(_examples(content)) if content else (),
        )


def _examples(content: Node) -> Iterator[Sample]:
    single = content.get("example")
    if single is not None:
        yield Sample("", shown(single.value))
    for name, element in content.items_of("examples"):
        example = element.follow()
        value = example.raw("value")
        if value is not None:
            yield Sample(example.text("summary") or name, shown(value.value))


def _command(path: str, method: str, node: Node, host: str) -> str:
    declared = node.raw("parameters")
    query = []
    for element in declared.elements() if declared else ():
        parameter = element.follow()
        name, example = parameter.text("name"), parameter.raw("example")
        if example is None:
            continue
        value = quote(str(example.value))
        if parameter.text("in") == "path":
            path = path.replace(f"{{{name}}}", value)
        elif name == "limit" or _required(parameter):
            query.append(f"{name}={value}")
    asked = f"?{'&'.join(query)}" if query else ""
    option = "" if method == "get" else f"-X {method.upper()} "
    return f'curl {option}"{host}{path}{asked}"'
