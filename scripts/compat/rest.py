"""Compares the paths and operations of two bundled OpenAPI 3.0 documents.

Paths are compared by shape: the name of a parameter in a path is not on the wire.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from scripts.compat.changes import Change, breaking, compatible
from scripts.compat.heads import info, specification
from scripts.compat.parts import (
    Object,
    Part,
    Rule,
    annotation,
    compare_objects,
    elsewhere,
    equal,
    extensions,
    short,
    unmodelled,
)
from scripts.compat.rest_messages import (
    IGNORED_PARAMETERS,
    compare_bodies,
    compare_parameters,
    compare_responses,
    deprecated,
)
from scripts.compat.security import alternatives, compare_security
from scripts.compat.servers import compare_servers
from scripts.compat.unused import unused_components

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def compare_rest(old: Object, new: Object) -> list[Change]:
    """The changes between two self-contained documents."""
    return [*compare_objects("", Part.at(old), Part.at(new), _DOCUMENT)]


def _servers(_place: str, old: Part, new: Part) -> Iterator[Change]:
    yield from compare_servers("", old.elements("servers"), new.elements("servers"))


def _paths(_place: str, old: Part, new: Part) -> Iterator[Change]:
    for name in extensions(old, new, "paths"):
        yield from unmodelled(old.members("paths").get(name), new.members("paths").get(name))
    mine, theirs = _operations(old), _operations(new)
    for key in dict.fromkeys((*mine, *theirs)):
        before, after = mine.get(key), theirs.get(key)
        known = before or after
        where = f"{key[0].upper()} {known.path if known else ''}"
        if after is None:
            yield breaking(where, "the operation is gone", "clients that call it are refused")
        elif before is None:
            yield compatible(where, "the operation is new", "nobody has to call it")
        else:
            yield from _operation(where, before, after)
    yield from _items(old, new)


def _items(old: Part, new: Part) -> Iterator[Change]:
    """The changes of the keys beside the operations of a path."""
    mine, theirs = (_by_shape(part) for part in (old, new))
    for shape in mine.keys() & theirs.keys():
        (path, before), (_, after) = mine[shape], theirs[shape]
        yield from compare_objects(path, before, after, _ITEM)


class _Operation:
    """One method of one path, with the keys of its path and document that apply to it."""

    def __init__(self, document: Part, path: str, item: Part, operation: Part) -> None:
        self.document = document
        self.path = path
        self.item = item
        self.part = operation
        self.alternatives = alternatives(document, operation)

    @property
    def parameters(self) -> dict[str, Part]:
        """The parameters by kind and name; one of the operation replaces one of its path."""
        names = re.findall(r"\{([^}]*)\}", self.path)
        found = {}
        for parameter in (*self.item.elements("parameters"), *self.part.elements("parameters")):
            kind, name = str(parameter.literal("in")), str(parameter.literal("name"))
            if kind == "header":
                name = name.lower()
                if name in IGNORED_PARAMETERS:
                    continue
            elif kind == "path" and name in names:
                name = str(names.index(name) + 1)
            found[f"{kind} parameter {name}"] = parameter
        return found

    @property
    def own_servers(self) -> list[Part] | None:
        """The servers of the operation or its path, which replace those of the document."""
        holder = next((part for part in (self.part, self.item) if "servers" in part), None)
        return holder.elements("servers") if holder is not None else None


def _operation(place: str, old: _Operation, new: _Operation) -> Iterator[Change]:
    yield from compare_security(place, old.alternatives, new.alternatives)
    mine, theirs = old.own_servers, new.own_servers
    if mine is not None or theirs is not None:
        one, two = (
            own if own is not None else operation.document.elements("servers")
            for own, operation in ((mine, old), (theirs, new))
        )
        yield from compare_servers(f"{place} ", one, two)
    yield from compare_parameters(place, old.parameters, new.parameters)
    yield from compare_objects(place, old.part, new.part, _OPERATION)


def _name(place: str, old: Part, new: Part) -> Iterator[Change]:
    before, after = old.literal("operationId"), new.literal("operationId")
    if not equal(before, after):
        step = f"operationId {before} becomes {after}"
        yield breaking(place, step, "generated clients call it by the old name")


def _tags(place: str, old: Part, new: Part) -> Iterator[Change]:
    before, after = old.literal("tags", []), new.literal("tags", [])
    if not equal(before, after):
        step = f"tags {short(before)} becomes {short(after)}"
        yield breaking(place, step, "generated clients keep it in a module named for its tag")


def _by_shape(document: Part) -> dict[str, tuple[str, Part]]:
    """The paths by shape; a second path of the same shape keeps its name."""
    found: dict[str, tuple[str, Part]] = {}
    for path, item in document.members("paths").items():
        if not path.startswith("x-"):
            shape = re.sub(r"\{[^}]*\}", "{}", path)
            found[path if shape in found else shape] = path, item
    return found


def _operations(document: Part) -> dict[tuple[str, str], _Operation]:
    return {
        (method, shape): _Operation(document, path, item, item.child(method))
        for shape, (path, item) in _by_shape(document).items()
        for method in _METHODS
        if method in item
    }


_WORDS: dict[str, Rule] = dict.fromkeys(("summary", "description", "externalDocs"), annotation)
_DOCUMENT: dict[str, Rule] = {
    "openapi": specification("openapi"),
    "info": info,
    "servers": _servers,
    "paths": _paths,
    "components": unused_components,
    "security": elsewhere,
    "tags": annotation,
    "externalDocs": annotation,
}
_ITEM: dict[str, Rule] = {
    **_WORDS,
    **dict.fromkeys((*_METHODS, "parameters", "servers"), elsewhere),
}
_OPERATION: dict[str, Rule] = {
    **_WORDS,
    "operationId": _name,
    "tags": _tags,
    "deprecated": deprecated,
    "security": elsewhere,
    "servers": elsewhere,
    "parameters": elsewhere,
    "requestBody": compare_bodies,
    "responses": compare_responses,
}
