"""Rules for keys that several objects of OpenAPI have."""

from __future__ import annotations

from collections.abc import Iterator

from asyncapi_server.diff.changes import Change, Side, breaking, compatible, words
from asyncapi_server.diff.parts import Part
from asyncapi_server.diff.rules import Rule, annotation, compare_objects
from asyncapi_server.diff.schemas.compare import compare
from asyncapi_server.diff.schemas.schema import Schema
from asyncapi_server.diff.values import equal


def deprecated(where: str, old: Part, new: Part) -> Iterator[Change]:
    """The rule for `deprecated`."""
    before, after = bool(old.literal("deprecated")), bool(new.literal("deprecated"))
    if before != after:
        step = f"it is {'deprecated now' if after else 'deprecated no longer'}"
        yield compatible(new.place, where, step, "it is served as before; clients may prepare")


def not_compared(key: str) -> Rule:
    """The rule for what the server calls at its clients: a difference is noted, and not judged."""

    def rule(where: str, old: Part, new: Part) -> Iterator[Change]:
        if not equal(old.fields.get(key), new.fields.get(key)):
            what, why = f"the {key} are others", "they are not compared: see what they ask for"
            yield words((new.get(key) or new).place, where or "document", what, why)

    return rule


def schema(side: Side) -> Rule:
    """The rule for `schema`, of values that concern a side."""

    def rule(where: str, old: Part, new: Part) -> Iterator[Change]:
        before, after = (Schema.of(part, "schema") for part in (old, new))
        yield from compare(before, after, side, where)

    return rule


def content(side: Side) -> Rule:
    """The rule for `content`, whose media types have no case."""
    rules: dict[str, Rule] = {
        "schema": schema(side),
        "example": annotation,
        "examples": annotation,
    }

    def rule(where: str, old: Part, new: Part) -> Iterator[Change]:
        mine, theirs = (
            {name.lower(): media for name, media in part.members("content").items()}
            for part in (old, new)
        )
        for name in dict.fromkeys((*mine, *theirs)):
            at = f"{where} {name}"
            if name in mine and name in theirs:
                yield from compare_objects(at, mine[name], theirs[name], rules)
            elif name in mine:
                yield breaking(new.place, at, "the media type is gone", "clients use it", side)
            else:
                yield _new_type(at, theirs[name], side, is_first=not mine)

    return rule


def _new_type(where: str, media: Part, side: Side, *, is_first: bool) -> Change:
    if not is_first:
        why = "clients need not ask for it"
        return compatible(media.place, where, "the media type is new", why)
    if side is Side.SENDERS:
        why = "clients write it without one"
        return breaking(media.place, where, "it has a media type now", why, side)
    return compatible(media.place, where, "there is a body now", "clients need not read it")


def new_input(where: str, what: str, part: Part) -> Change:
    """The change that something can be sent which could not be."""
    if part.literal("required"):
        why = "requests without it are refused"
        return breaking(part.place, where, f"{what} is new and required", why, Side.SENDERS)
    why = "requests without it are still taken"
    return compatible(part.place, where, f"{what} is new and optional", why)


def required(where: str, old: Part, new: Part) -> Iterator[Change]:
    """The rule for `required`, of what clients send."""
    before, after = bool(old.literal("required")), bool(new.literal("required"))
    if after and not before:
        why = "requests without it are refused"
        yield breaking(new.place, where, "it is required now", why, Side.SENDERS)
    elif before and not after:
        yield compatible(new.place, where, "it is optional now", "requests with it are still taken")
