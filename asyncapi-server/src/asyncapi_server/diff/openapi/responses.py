"""Compares the responses of operations, by status.

A status without a response of its own has that of its class, such as 4XX, or the default. A new
error status breaks nobody, since a client must treat an unknown status as the x00 of its class (RFC
9110, 15); a new success status does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from asyncapi_server.diff.changes import Change, Side, breaking, compatible
from asyncapi_server.diff.openapi.parameters import DESCRIBED
from asyncapi_server.diff.openapi.shared import content, schema
from asyncapi_server.diff.parts import Part
from asyncapi_server.diff.rules import Rule, annotation, compare_objects, extensions

_DEFAULT = "default"
_IGNORED_HEADER = "content-type"


def compare_responses(where: str, old: Part, new: Part) -> Iterator[Change]:
    """The rule for the `responses` of an operation."""
    yield from extensions(old, new, "responses")
    mine, theirs = (_by_status(part) for part in (old, new))
    holder = new.get("responses") or new
    for status in dict.fromkeys((*mine, *theirs)):
        before, after = _response(mine, status), _response(theirs, status)
        at = f"{where} {status}"
        if before is not None and after is not None:
            yield from compare_objects(at, before, after, _RESPONSE)
        elif after is None:
            yield _gone(at, status, holder)
        else:
            yield _new(at, status, after)


def _by_status(operation: Part) -> dict[str, Part]:
    found = operation.members("responses", is_extensible=True)
    return {
        status if status == _DEFAULT else status.upper(): response
        for status, response in found.items()
    }


def _response(responses: Mapping[str, Part], status: str) -> Part | None:
    """The response of a status: its own, that of its class, or the default."""
    names = (status, f"{status[:1]}XX", _DEFAULT)
    return next((responses[name] for name in names if name in responses), None)


def _is_error(status: str) -> bool:
    return status.startswith(("4", "5"))


def _gone(where: str, status: str, holder: Part) -> Change:
    if _is_error(status):
        why = "clients get fewer kinds of errors"
        return compatible(holder.place, where, "the status is gone", why)
    why = "clients wait for this reply"
    return breaking(holder.place, where, "the status is gone", why, Side.READERS)


def _new(where: str, status: str, response: Part) -> Change:
    if _is_error(status):
        why = "clients treat an unknown status as the x00 of its class (RFC 9110, 15)"
        return compatible(response.place, where, "the status is new", why)
    why = "clients do not know this reply"
    return breaking(response.place, where, "the status is new", why, Side.READERS)


def _headers(where: str, old: Part, new: Part) -> Iterator[Change]:
    mine, theirs = (
        {name.lower(): header for name, header in part.members("headers").items()}
        for part in (old, new)
    )
    for name in dict.fromkeys((*mine, *theirs)):
        at = f"{where} header {name}"
        if name == _IGNORED_HEADER:
            continue
        if name not in theirs:
            why = "clients that read it do not find it"
            yield breaking(new.place, at, "the header is gone", why, Side.READERS)
        elif name not in mine:
            why = "clients that do not know it pass it over"
            yield compatible(theirs[name].place, at, "the header is new", why)
        else:
            yield from compare_objects(at, mine[name], theirs[name], _HEADER)


def _always_there(where: str, old: Part, new: Part) -> Iterator[Change]:
    before, after = bool(old.literal("required")), bool(new.literal("required"))
    if before and not after:
        why = "clients count on it"
        yield breaking(new.place, where, "it may be absent now", why, Side.READERS)
    elif after and not before:
        yield compatible(new.place, where, "it is always there now", "clients had to expect it")


def _links(where: str, old: Part, new: Part) -> Iterator[Change]:
    mine, theirs = old.members("links"), new.members("links")
    for name in dict.fromkeys((*mine, *theirs)):
        at = f"{where} link {name}"
        if name not in theirs:
            why = "clients that follow it do not find it"
            yield breaking(new.place, at, "the link is gone", why, Side.READERS)
        elif name not in mine:
            why = "nobody has to follow it"
            yield compatible(theirs[name].place, at, "the link is new", why)
        else:
            yield from compare_objects(at, mine[name], theirs[name], _LINK)


_HEADER: dict[str, Rule] = {
    **DESCRIBED,
    "required": _always_there,
    "schema": schema(Side.READERS),
    "content": content(Side.READERS),
}
_RESPONSE: dict[str, Rule] = {
    "description": annotation,
    "headers": _headers,
    "content": content(Side.READERS),
    "links": _links,
}
_LINK: dict[str, Rule] = {"description": annotation}
