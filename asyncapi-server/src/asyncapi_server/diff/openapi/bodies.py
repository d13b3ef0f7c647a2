"""Compares the bodies of requests."""

from __future__ import annotations

from collections.abc import Iterator

from asyncapi_server.diff.changes import Change, Side, breaking
from asyncapi_server.diff.openapi.shared import content, new_input, required
from asyncapi_server.diff.parts import Part
from asyncapi_server.diff.rules import Rule, annotation, compare_objects

_BODY: dict[str, Rule] = {
    "description": annotation,
    "required": required,
    "content": content(Side.SENDERS),
}


def compare_bodies(where: str, old: Part, new: Part) -> Iterator[Change]:
    """The rule for the `requestBody` of an operation."""
    before, after = old.get("requestBody"), new.get("requestBody")
    where = f"{where} request body"
    if before is None and after is not None:
        yield new_input(where, "the request body", after)
    elif before is not None and after is None:
        why = "what clients send in it is not read"
        yield breaking(new.place, where, "the request body is gone", why, Side.SENDERS)
    elif before is not None and after is not None:
        yield from compare_objects(where, before, after, _BODY)
