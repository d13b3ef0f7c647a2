"""Two OpenAPI 3.0 documents, each bundled into one.

Paths are compared by their shape: the name of a parameter in a path is not on the wire. Unknown
query parameters are refused by these documents, so a new optional one widens what is taken. A new
status of an error breaks nobody, since every client has to treat one that it does not know as the
x00 of its class (RFC 9110, 15); a new success does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from scripts.compat.changes import Change, Direction, breaking, compatible
from scripts.compat.schemas import Schema, compare
from scripts.rest_check import json_schema
from wsrouter.pointer import lookup, tokens

Object = Mapping[str, object]

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_DRAFT = 4
"""OpenAPI 3.0's schemas are of JSON Schema's draft 4, but for `nullable`."""
_STYLE = ("style", "explode", "allowReserved", "allowEmptyValue")


def compare_rest(old: Object, new: Object) -> list[Change]:
    """What changed between two self-contained documents."""
    before, after = _Api(old), _Api(new)
    return [*_servers(before, after), *_operations(before, after)]


class _Api:
    """A document's operations, references resolved as they are met."""

    def __init__(self, document: Object) -> None:
        self.document = document
        self._components = {
            "components": {
                "schemas": json_schema(
                    lookup(document, ("components", "schemas")) or {}, names=True
                )
            }
        }
        self.operations: dict[str, _Operation] = {}
        for path, item in _map(document, "paths").items():
            shape = re.sub(r"\{[^}]*\}", "{}", path)
            resolved = self.resolved(item)
            for method in _METHODS:
                if method in resolved:
                    operation = self.resolved(resolved[method])
                    key = f"{method.upper()} {shape}"
                    self.operations[key] = _Operation(self, path, resolved, operation)

    @property
    def servers(self) -> set[str]:
        listed = cast(list[Object], self.document.get("servers", [{"url": "/"}]))
        return {str(server["url"]) for server in listed}

    def resolved(self, value: object) -> Object:
        while isinstance(value, Mapping) and isinstance(target := value.get("$ref"), str):
            value = lookup(self.document, tokens(target.removeprefix("#")))
        return value if isinstance(value, Mapping) else {}

    def schema(self, holder: Object) -> Schema:
        """The schema of a parameter, header or body."""
        return Schema(json_schema(holder.get("schema", {})), self._components, _DRAFT)


class _Operation:
    """One method of one path."""

    def __init__(self, api: _Api, path: str, item: Object, operation: Object) -> None:
        self.api = api
        self.path = path
        self.name = operation.get("operationId")
        self.operation = operation
        positions = {name: i for i, name in enumerate(re.findall(r"\{([^}]*)\}", path))}
        listed = (*_list(item, "parameters"), *_list(operation, "parameters"))
        self.parameters: dict[str, Object] = {}
        for parameter in map(api.resolved, listed):
            where, name = str(parameter["in"]), str(parameter["name"])
            # The operation's own parameter replaces one of the path with the same name.
            label = f"{positions[name] + 1}" if where == "path" and name in positions else name
            self.parameters[f"{where} parameter {label}"] = parameter
        self.security = operation.get("security", api.document.get("security", []))

    @property
    def body(self) -> Object | None:
        found = self.operation.get("requestBody")
        return None if found is None else self.api.resolved(found)

    @property
    def responses(self) -> dict[str, Object]:
        found = _map(self.operation, "responses")
        return {status: self.api.resolved(response) for status, response in found.items()}


def _servers(old: _Api, new: _Api) -> Iterator[Change]:
    for url in sorted(old.servers - new.servers):
        yield breaking(f"server {url}", "the server is gone", "clients send requests to it")
    for url in sorted(new.servers - old.servers):
        yield compatible(f"server {url}", "the server is new", "nobody has to use it")


def _operations(old: _Api, new: _Api) -> Iterator[Change]:
    for key in dict.fromkeys((*old.operations, *new.operations)):
        before, after = old.operations.get(key), new.operations.get(key)
        method, known = key.partition(" ")[0], before or after
        place = f"{method} {known.path if known else ''}"
        if after is None:
            yield breaking(place, "the operation is gone", "clients that call it are refused")
        elif before is None:
            yield compatible(place, "the operation is new", "nobody has to call it")
        else:
            yield from _operation(place, before, after)


def _operation(place: str, old: _Operation, new: _Operation) -> Iterator[Change]:
    if old.name != new.name:
        why = "generated clients call it by the old name"
        yield breaking(place, f"operationId {old.name} becomes {new.name}", why)
    if old.security != new.security:
        if not new.security:
            yield compatible(
                place, "no credentials are asked for any more", "they may still be sent"
            )
        else:
            why = "requests with the credentials that were asked for before may be refused"
            yield breaking(place, "other credentials are asked for", why)
    yield from _parameters(place, old, new)
    yield from _request_body(place, old, new)
    yield from _responses(place, old, new)


def _parameters(place: str, old: _Operation, new: _Operation) -> Iterator[Change]:
    for key in dict.fromkeys((*old.parameters, *new.parameters)):
        before, after = old.parameters.get(key), new.parameters.get(key)
        where = f"{place} {key}"
        if before is None and after is not None:
            yield _new_input(where, "the parameter", after)
        elif after is None:
            why = "requests that carry it are refused or mean something else now"
            yield breaking(where, "the parameter is gone", why)
        elif before is not None:
            yield from _required(where, before, after)
            if any(before.get(keyword) != after.get(keyword) for keyword in _STYLE):
                why = "the same value is written in another way"
                yield breaking(where, "the style of writing is another one", why)
            yield from compare(
                old.api.schema(before), new.api.schema(after), Direction.CLIENT, where
            )
            yield from _media_types(where, before, after, old.api, new.api, Direction.CLIENT)


def _request_body(place: str, old: _Operation, new: _Operation) -> Iterator[Change]:
    before, after = old.body, new.body
    where = f"{place} request body"
    if before is None and after is not None:
        yield _new_input(where, "the request body", after)
    elif before is not None and after is None:
        yield breaking(where, "the request body is gone", "what clients send in it is not read")
    elif before is not None and after is not None:
        yield from _required(where, before, after)
        yield from _media_types(where, before, after, old.api, new.api, Direction.CLIENT)


def _new_input(place: str, what: str, holder: Object) -> Change:
    if holder.get("required"):
        return breaking(place, f"{what} is new and required", "requests without it are refused")
    return compatible(place, f"{what} is new and optional", "requests without it are still taken")


def _required(place: str, old: Object, new: Object) -> Iterator[Change]:
    before, after = bool(old.get("required")), bool(new.get("required"))
    if after and not before:
        yield breaking(place, "it is required now", "requests without it are refused")
    elif before and not after:
        yield compatible(place, "it is optional now", "requests with it are still taken")


def _responses(place: str, old: _Operation, new: _Operation) -> Iterator[Change]:
    mine, theirs = old.responses, new.responses
    for status in dict.fromkeys((*mine, *theirs)):
        where = f"{place} {status}"
        success = not status.startswith(("4", "5"))
        if status not in theirs:
            if success:
                yield breaking(where, "the status is gone", "clients wait for this reply")
            else:
                yield compatible(where, "the status is gone", "clients get fewer kinds of errors")
        elif status not in mine:
            if success:
                yield breaking(where, "the status is new", "clients do not know this reply")
            else:
                why = "clients treat an unknown status as the x00 of its class (RFC 9110, 15)"
                yield compatible(where, "the status is new", why)
        else:
            before, after = mine[status], theirs[status]
            yield from _headers(where, before, after, old.api, new.api)
            yield from _media_types(where, before, after, old.api, new.api, Direction.SERVER)


def _headers(place: str, old: Object, new: Object, one: _Api, two: _Api) -> Iterator[Change]:
    mine = {name.lower(): one.resolved(h) for name, h in _map(old, "headers").items()}
    theirs = {name.lower(): two.resolved(h) for name, h in _map(new, "headers").items()}
    for name in dict.fromkeys((*mine, *theirs)):
        where = f"{place} header {name}"
        if name not in theirs:
            yield breaking(where, "the header is gone", "clients that read it do not find it")
        elif name not in mine:
            yield compatible(where, "the header is new", "clients that do not know it pass it over")
        else:
            before, after = mine[name], theirs[name]
            if before.get("required") and not after.get("required"):
                yield breaking(where, "it may be absent now", "clients count on it")
            elif after.get("required") and not before.get("required"):
                yield compatible(where, "it is always there now", "clients had to expect it")
            yield from compare(one.schema(before), two.schema(after), Direction.SERVER, where)


def _media_types(
    place: str, old: Object, new: Object, one: _Api, two: _Api, direction: Direction
) -> Iterator[Change]:
    mine, theirs = _map(old, "content"), _map(new, "content")
    for name in dict.fromkeys((*mine, *theirs)):
        where = f"{place} {name}"
        if name not in theirs:
            yield breaking(where, "the media type is gone", "clients use it")
        elif name not in mine and mine:
            yield compatible(where, "the media type is new", "clients need not ask for it")
        elif name not in mine:
            if direction is Direction.CLIENT:
                yield breaking(where, "it has a media type now", "clients write it without one")
            else:
                yield compatible(where, "there is a body now", "clients need not read it")
        else:
            before, after = one.resolved(mine[name]), two.resolved(theirs[name])
            yield from compare(one.schema(before), two.schema(after), direction, where)


def _map(value: Object, key: str) -> Object:
    found = value.get(key)
    return found if isinstance(found, Mapping) else {}


def _list(value: Object, key: str) -> Iterable[object]:
    found = value.get(key)
    return found if isinstance(found, list) else []
