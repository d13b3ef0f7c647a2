"""Compares operations of OpenAPI."""

from __future__ import annotations

import re
from collections.abc import Iterator

from asyncapi_server.diff.changes import Change, Side, breaking, compatible
from asyncapi_server.diff.openapi.bodies import compare_bodies
from asyncapi_server.diff.openapi.parameters import IGNORED_PARAMETERS, compare_parameters
from asyncapi_server.diff.openapi.responses import compare_responses
from asyncapi_server.diff.openapi.servers import compare_servers
from asyncapi_server.diff.openapi.shared import deprecated, not_compared
from asyncapi_server.diff.parts import Part
from asyncapi_server.diff.rules import Rule, annotation, compare_objects, elsewhere
from asyncapi_server.diff.security import Alternative, holds, listed, schemes_of
from asyncapi_server.diff.values import equal, short


class Operation:
    """One method of one path, with the keys of its path and document that apply to it."""

    def __init__(self, document: Part, path: str, item: Part, operation: Part) -> None:
        self.document = document
        self.path = path
        self.item = item
        self.part = operation

    @property
    def parameters(self) -> dict[str, Part]:
        """The parameters by kind and name; one of the operation replaces one of its path."""
        names = re.findall(r"\{([^{}]*)\}", self.path)
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
    def servers(self) -> Part:
        """What has the servers that it is called on: the operation, its path or the document."""
        holders = (self.part, self.item, self.document)
        return next((part for part in holders if "servers" in part), self.document)

    @property
    def credentials(self) -> list[Alternative]:
        """The credentials that it, or else its document, asks for."""
        holder = self.part if "security" in self.part else self.document
        return listed(holder, schemes_of(self.document))


def compare_operations(where: str, old: Operation, new: Operation) -> Iterator[Change]:
    """The changes of an operation."""
    yield from _credentials(where, old, new)
    if old.servers is not old.document or new.servers is not new.document:
        yield from compare_servers(f"{where} ", old.servers, new.servers)
    yield from compare_parameters(where, old.parameters, new.parameters, new.part)
    yield from compare_objects(where, old.part, new.part, _OPERATION)


def _credentials(where: str, old: Operation, new: Operation) -> Iterator[Change]:
    before, after = old.credentials, new.credentials
    if not holds(before, after):
        why = "requests with the old credentials may be refused"
        step = "other credentials are asked for"
        yield breaking(new.part.place, where, step, why, Side.SENDERS)
    elif not holds(after, before):
        step = "fewer or other credentials are enough"
        yield compatible(new.part.place, where, step, "the old ones may still be sent")


def _name(where: str, old: Part, new: Part) -> Iterator[Change]:
    before, after = old.literal("operationId"), new.literal("operationId")
    if equal(before, after):
        return
    step = f"operationId {before} becomes {after}"
    if before is None:
        yield compatible(new.place, where, step, "no client knows it by another name")
    else:
        yield breaking(new.place, where, step, "generated clients call it by the old name")


def _tags(where: str, old: Part, new: Part) -> Iterator[Change]:
    before, after = old.literal("tags", []), new.literal("tags", [])
    if not equal(before, after):
        step = f"tags {short(before)} becomes {short(after)}"
        why = "generated clients keep it in a module named for its tag"
        yield breaking(new.place, where, step, why)


_OPERATION: dict[str, Rule] = {
    **dict.fromkeys(("summary", "description", "externalDocs"), annotation),
    "operationId": _name,
    "tags": _tags,
    "deprecated": deprecated,
    "security": elsewhere,
    "servers": elsewhere,
    "parameters": elsewhere,
    "requestBody": compare_bodies,
    "responses": compare_responses,
    "callbacks": not_compared("callbacks"),
}
