"""Compares messages: their payloads and headers, by who reads them."""

from __future__ import annotations

from collections.abc import Iterator

from asyncapi_server.diff.asyncapi.model import Message
from asyncapi_server.diff.changes import Change, Side, breaking, compatible
from asyncapi_server.diff.parts import Part
from asyncapi_server.diff.rules import (
    NOT_MODELLED,
    Rule,
    annotation,
    compare_objects,
    elsewhere,
    inside,
    references,
    unmodelled,
)
from asyncapi_server.diff.schemas.compare import compare
from asyncapi_server.diff.schemas.schema import Schema
from asyncapi_server.diff.values import equal, short
from asyncapi_server.document.dialects import dialect_of
from asyncapi_server.document.messages import X_RESPONSE, X_SERVERS

_PAYLOAD = "$message.payload#"


def compare_messages(where: str, old: Message, new: Message, side: Side | None) -> Iterator[Change]:
    """The changes of a message that concerns a side; None: it is in no operation."""
    before, after = old.part, new.part
    yield from _content_types(where, before, after)
    yield from compare_objects(where, before, after, _MESSAGE)
    yield from _values(where, before, after, "payload", side)
    if "headers" in before and "headers" in after:
        yield from _values(f"{where} headers", before, after, "headers", side)
    else:
        yield from unmodelled(before.get("headers"), after.get("headers"), after)


def _values(where: str, old: Part, new: Part, key: str, side: Side | None) -> Iterator[Change]:
    """The changes of the payload or the headers."""
    (before, one), (after, two) = described(old, key), described(new, key)
    yield from _beside_schemas(before[0], after[0])
    dialects = dialect_of(one), dialect_of(two)
    if side is not None and dialects[0] is not None and dialects[1] is not None:
        schemas = Schema.of(*before, dialects[0]), Schema.of(*after, dialects[1])
        yield from compare(*schemas, side, where)
        return
    if one != two and None in dialects:
        step = f"its format {one} becomes {two}"
        yield breaking(new.place, where, step, NOT_MODELLED)
    mine, theirs = (holder.get(name) for holder, name in (before, after))
    yield from unmodelled(mine, theirs, new)


def described(message: Part, key: str) -> tuple[tuple[Part, str], str | None]:
    """What holds the schema of a payload or of headers and under which key, and its format."""
    declared = message.get(key)
    found = (message, key)
    schema_format = message.literal("schemaFormat") if key == "payload" else None
    while declared is not None and "schemaFormat" in declared and "schema" in declared:
        found, schema_format = (declared, "schema"), declared.literal("schemaFormat")
        declared = declared.get("schema")
    return found, None if schema_format is None else str(schema_format)


def _beside_schemas(old: Part, new: Part) -> Iterator[Change]:
    """The difference of what stands beside schemas with a format of their own, in AsyncAPI 3."""
    before, after = (
        {key: value for key, value in part.fields.items() if key not in ("schema", "schemaFormat")}
        if "schema" in part
        else {}
        for part in (old, new)
    )
    if not equal(before, after):
        step = f"{short(before)} beside its schema becomes {short(after)}"
        yield breaking(new.place, new.name, step, NOT_MODELLED)


def _content_types(where: str, old: Part, new: Part) -> Iterator[Change]:
    before, after = (
        str(part.literal("contentType", part.spec.root.text("defaultContentType"))).lower()
        for part in (old, new)
    )
    if before != after:
        step = f"content type {before} becomes {after}"
        yield breaking(new.place, where, step, "clients read and write the old one")


def _name(_where: str, old: Part, new: Part) -> Iterator[Change]:
    before, after = old.literal("name"), new.literal("name")
    if before is None and after is not None:
        where = f"{new.name}/name"
        why = "no client knows it by another name"
        yield compatible(new.place, where, f"{after} is new", why)
    else:
        yield from unmodelled(old.get("name"), new.get("name"), new)


def _location(where: str, old: Part, new: Part) -> Iterator[Change]:
    before, after = (part.literal("location") for part in (old, new))
    if before == after:
        return
    one, two = (
        "nowhere" if text is None else str(text).removeprefix(_PAYLOAD) for text in (before, after)
    )
    step = f"the correlation id moves from {one} to {two}"
    if before is None:
        yield compatible(new.place, where, step, "nobody has to give or read one")
    else:
        yield breaking(new.place, where, step, "clients look for it at the old place")


_MESSAGE: dict[str, Rule] = {
    **dict.fromkeys(
        ("title", "summary", "description", "tags", "externalDocs", "examples"), annotation
    ),
    **dict.fromkeys(("contentType", "headers", "messageId", "payload", "schemaFormat"), elsewhere),
    "name": _name,
    "correlationId": inside("correlationId", {"description": annotation, "location": _location}),
    **{key: references(key) for key in (X_RESPONSE, X_SERVERS)},
}
