"""Compares what an operation of OpenAPI 3.0 carries: parameters, bodies, responses and headers.

These documents refuse unknown query parameters, so a new optional one accepts more. A new error
status breaks nobody, since a client must treat an unknown status as the x00 of its class (RFC 9110,
15); a new success status does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from scripts.compat.changes import Change, Direction, breaking, compatible
from scripts.compat.parts import (
    Part,
    Rule,
    annotation,
    compare_objects,
    elsewhere,
    equal,
    unmodelled,
)
from scripts.compat.schema_changes import compare
from scripts.compat.schemas import Dialect, Schema

IGNORED_PARAMETERS = frozenset({"accept", "authorization", "content-type"})
"""Headers that OpenAPI describes at other places, and ignores as parameters."""
_IGNORED_HEADER = "content-type"
_STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}


def compare_parameters(
    place: str, old: Mapping[str, Part], new: Mapping[str, Part]
) -> Iterator[Change]:
    """The changes of an operation's parameters, by their kind and name."""
    for key in dict.fromkeys((*old, *new)):
        before, after = old.get(key), new.get(key)
        where = f"{place} {key}"
        if before is None and after is not None:
            yield _new_input(where, "the parameter", after)
        elif after is None:
            why = "requests that carry it are refused or mean something else now"
            yield breaking(where, "the parameter is gone", why)
        elif before is not None:
            yield from compare_objects(where, before, after, _PARAMETER)


def compare_bodies(place: str, old: Part, new: Part) -> Iterator[Change]:
    """The changes of an operation's request body."""
    before, after = old.get("requestBody"), new.get("requestBody")
    where = f"{place} request body"
    if before is None and after is not None:
        yield _new_input(where, "the request body", after)
    elif before is not None and after is None:
        yield breaking(where, "the request body is gone", "what clients send in it is not read")
    elif before is not None and after is not None:
        yield from compare_objects(where, before, after, _BODY)


def compare_responses(place: str, old: Part, new: Part) -> Iterator[Change]:
    """The changes of an operation's responses, by status."""
    mine, theirs = old.members("responses"), new.members("responses")
    for status in dict.fromkeys((*mine, *theirs)):
        before, after = mine.get(status), theirs.get(status)
        where = f"{place} {status}"
        success = not status.startswith(("4", "5"))
        if status.startswith("x-"):
            yield from unmodelled(before, after)
        elif before is not None and after is not None:
            yield from compare_objects(where, before, after, _RESPONSE)
        elif after is None and success:
            yield breaking(where, "the status is gone", "clients wait for this reply")
        elif after is None:
            yield compatible(where, "the status is gone", "clients get fewer kinds of errors")
        elif success:
            yield breaking(where, "the status is new", "clients do not know this reply")
        else:
            why = "clients treat an unknown status as the x00 of its class (RFC 9110, 15)"
            yield compatible(where, "the status is new", why)


def _new_input(place: str, what: str, holder: Part) -> Change:
    if holder.literal("required"):
        return breaking(place, f"{what} is new and required", "requests without it are refused")
    return compatible(place, f"{what} is new and optional", "requests without it are still taken")


def _required(place: str, old: Part, new: Part) -> Iterator[Change]:
    before, after = bool(old.literal("required")), bool(new.literal("required"))
    if after and not before:
        yield breaking(place, "it is required now", "requests without it are refused")
    elif before and not after:
        yield compatible(place, "it is optional now", "requests with it are still taken")


def _always_there(place: str, old: Part, new: Part) -> Iterator[Change]:
    before, after = bool(old.literal("required")), bool(new.literal("required"))
    if before and not after:
        yield breaking(place, "it may be absent now", "clients count on it")
    elif after and not before:
        yield compatible(place, "it is always there now", "clients had to expect it")


def _style(place: str, old: Part, new: Part) -> Iterator[Change]:
    """The rule for how a value is written, with the defaults of OpenAPI filled in."""
    before, after = _written(old), _written(new)
    for keyword in before:
        if not equal(before[keyword], after[keyword]):
            step = f"{keyword} {before[keyword]} becomes {after[keyword]}"
            yield breaking(place, step, "the same value is written in another way")


def _written(holder: Part) -> dict[str, object]:
    style = holder.literal("style", _STYLES.get(str(holder.literal("in", "header"))))
    return {
        "style": style,
        "explode": holder.literal("explode", style == "form"),
        "allowReserved": holder.literal("allowReserved", False),
        "allowEmptyValue": holder.literal("allowEmptyValue", False),
    }


def deprecated(place: str, old: Part, new: Part) -> Iterator[Change]:
    """The rule for `deprecated`."""
    before, after = bool(old.literal("deprecated")), bool(new.literal("deprecated"))
    if before != after:
        step = f"it is {'deprecated now' if after else 'deprecated no longer'}"
        yield compatible(place, step, "it is served as before; clients may prepare")


def _schema(direction: Direction) -> Rule:
    def rule(place: str, old: Part, new: Part) -> Iterator[Change]:
        before, after = (Schema.of(part, "schema", Dialect.OPENAPI) for part in (old, new))
        yield from compare(before, after, direction, place)

    return rule


def _content(direction: Direction) -> Rule:
    rules: dict[str, Rule] = {
        "schema": _schema(direction),
        "example": annotation,
        "examples": annotation,
    }

    def rule(place: str, old: Part, new: Part) -> Iterator[Change]:
        mine, theirs = old.members("content"), new.members("content")
        for name in dict.fromkeys((*mine, *theirs)):
            where = f"{place} {name}"
            if name in mine and name in theirs:
                yield from compare_objects(where, mine[name], theirs[name], rules)
            elif name in mine:
                yield breaking(where, "the media type is gone", "clients use it")
            elif mine:
                yield compatible(where, "the media type is new", "clients need not ask for it")
            elif direction is Direction.CLIENT:
                yield breaking(where, "it has a media type now", "clients write it without one")
            else:
                yield compatible(where, "there is a body now", "clients need not read it")

    return rule


def _headers(place: str, old: Part, new: Part) -> Iterator[Change]:
    mine, theirs = (
        {name.lower(): header for name, header in part.members("headers").items()}
        for part in (old, new)
    )
    for name in dict.fromkeys((*mine, *theirs)):
        where = f"{place} header {name}"
        if name == _IGNORED_HEADER:
            continue
        if name not in theirs:
            yield breaking(where, "the header is gone", "clients that read it do not find it")
        elif name not in mine:
            yield compatible(where, "the header is new", "clients that do not know it pass it over")
        else:
            yield from compare_objects(where, mine[name], theirs[name], _HEADER)


def _links(place: str, old: Part, new: Part) -> Iterator[Change]:
    mine, theirs = old.members("links"), new.members("links")
    for name in dict.fromkeys((*mine, *theirs)):
        where = f"{place} link {name}"
        if name not in theirs:
            yield breaking(where, "the link is gone", "clients that follow it do not find it")
        elif name not in mine:
            yield compatible(where, "the link is new", "nobody has to follow it")
        else:
            yield from compare_objects(where, mine[name], theirs[name], _LINK)


_BODY: dict[str, Rule] = {
    "description": annotation,
    "required": _required,
    "content": _content(Direction.CLIENT),
}
_DESCRIBED: dict[str, Rule] = {
    **_BODY,
    **dict.fromkeys(("example", "examples"), annotation),
    **dict.fromkeys(("style", "explode", "allowReserved", "allowEmptyValue"), _style),
    "deprecated": deprecated,
    "schema": _schema(Direction.CLIENT),
}
_HEADER: dict[str, Rule] = {
    **_DESCRIBED,
    "required": _always_there,
    "schema": _schema(Direction.SERVER),
    "content": _content(Direction.SERVER),
}
_PARAMETER: dict[str, Rule] = {**_DESCRIBED, "name": elsewhere, "in": elsewhere}
_RESPONSE: dict[str, Rule] = {
    "description": annotation,
    "headers": _headers,
    "content": _content(Direction.SERVER),
    "links": _links,
}
_LINK: dict[str, Rule] = {"description": annotation}
