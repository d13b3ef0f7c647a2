"""Compares the paths and operations of two OpenAPI documents.

Paths are compared by shape: the name of a parameter in a path is not on the wire.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from asyncapi_server.diff.changes import Change, Side, breaking, compatible
from asyncapi_server.diff.heads import edition, info
from asyncapi_server.diff.openapi.operations import Operation, compare_operations
from asyncapi_server.diff.openapi.servers import compare_servers
from asyncapi_server.diff.openapi.shared import not_compared
from asyncapi_server.diff.parts import Part
from asyncapi_server.diff.rules import Rule, annotation, compare_objects, elsewhere, extensions
from asyncapi_server.diff.unused import unused_components

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def compare_openapi(old: Part, new: Part) -> Iterator[Change]:
    """The changes between two documents, given by their roots."""
    yield from compare_objects("", old, new, _DOCUMENT)


def _servers(_where: str, old: Part, new: Part) -> Iterator[Change]:
    yield from compare_servers("", old, new)


def _paths(_where: str, old: Part, new: Part) -> Iterator[Change]:
    yield from extensions(old, new, "paths")
    mine, theirs = _operations(old), _operations(new)
    holder = new.get("paths") or new
    for key in dict.fromkeys((*mine, *theirs)):
        before, after = mine.get(key), theirs.get(key)
        known = before or after
        where = f"{key[0].upper()} {known.path if known else ''}"
        if after is None:
            why = "clients that call it are refused"
            yield breaking(holder.place, where, "the operation is gone", why, Side.SENDERS)
        elif before is None:
            yield compatible(
                after.part.place, where, "the operation is new", "nobody has to call it"
            )
        else:
            yield from compare_operations(where, before, after)
    yield from _items(old, new)


def _items(old: Part, new: Part) -> Iterator[Change]:
    """The changes of the keys beside the operations of a path."""
    mine, theirs = (_by_shape(part) for part in (old, new))
    for shape in dict.fromkeys((*mine, *theirs)):
        if shape in mine and shape in theirs:
            (path, before), (_, after) = mine[shape], theirs[shape]
            yield from compare_objects(path, before, after, _ITEM)


def _by_shape(document: Part) -> dict[str, tuple[str, Part]]:
    """The paths by shape; a second path of the same shape keeps its name."""
    found: dict[str, tuple[str, Part]] = {}
    for path, item in document.members("paths", is_extensible=True).items():
        shape = re.sub(r"\{[^{}]*\}", "{}", path)
        found[path if shape in found else shape] = path, item
    return found


def _operations(document: Part) -> dict[tuple[str, str], Operation]:
    return {
        (method, shape): Operation(document, path, item, operation)
        for shape, (path, item) in _by_shape(document).items()
        for method in _METHODS
        if (operation := item.get(method)) is not None
    }


_DOCUMENT: dict[str, Rule] = {
    "openapi": edition,
    "info": info,
    "servers": _servers,
    "paths": _paths,
    "webhooks": not_compared("webhooks"),
    "components": unused_components,
    "security": elsewhere,
    "tags": annotation,
    "externalDocs": annotation,
}
_ITEM: dict[str, Rule] = {
    **dict.fromkeys(("summary", "description"), annotation),
    **dict.fromkeys((*_METHODS, "parameters", "servers"), elsewhere),
}
