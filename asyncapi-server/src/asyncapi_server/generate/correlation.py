"""Correlation ids that clients make up."""

from __future__ import annotations

from typing import Literal

from asyncapi_server.generate.keywords import Schema, Scope, mapping
from asyncapi_server.validation import validator

Ids = Literal["number", "text", "padded", "uuid"]
"""Forms of ids: a count, as it is, as text or with leading zeros; or a random one."""

_UUID = "00000000-0000-4000-8000-000000000000"
_EXAMPLES: tuple[tuple[Ids, tuple[object, object]], ...] = (
    ("number", (1, 1_000_000)),
    ("text", ("1", "1000000")),
    ("padded", ("0000000000000001", "0000000001000000")),
    ("uuid", (_UUID, _UUID.replace("0", "f"))),
)


def ids(schema: Schema, path: tuple[str, ...]) -> Ids | None:
    """The form of ids that the schema of a message admits at a path; None when it admits none."""
    scope = Scope(schema)
    member: object = scope.top
    for token in path:
        member = mapping(scope.keywords(member), "properties").get(token)
    if not isinstance(member, dict):
        return None
    if scope.keywords(member).get("format") == "uuid":
        return "uuid"
    is_valid = validator({**member, "definitions": scope.definitions}).is_valid
    return next((form for form, examples in _EXAMPLES if all(map(is_valid, examples))), None)
