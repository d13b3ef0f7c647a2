"""Compares the responses of operations, by status.

A status without a response of its own has that of its class, such as 4XX, or the default. A new
error status breaks nobody, since a client must treat an unknown status as the x00 of its class (RFC
9110, 15); a new success status does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

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


def _by_name(
    noun: str,
    members: Callable[[Part], Mapping[str, Part]],
    rules: Mapping[str, Rule],
    *,
    gone: str,
    added: str,
) -> Rule:
    """The rule for named members of a response.

    `gone` and `added` say what a member that is gone or new means to clients.
    """

    def rule(where: str, old: Part, new: Part) -> Iterator[Change]:
        mine, theirs = members(old), members(new)
        for name in dict.fromkeys((*mine, *theirs)):
            at = f"{where} {noun} {name}"
            if name not in theirs:
                yield breaking(new.place, at, f"the {noun} is gone", gone, Side.READERS)
            elif name not in mine:
                yield compatible(theirs[name].place, at, f"the {noun} is new", added)
            else:
                yield from compare_objects(at, mine[name], theirs[name], rules)

    return rule


def _headers(response: Part) -> dict[str, Part]:
    """The headers that count, by their names in lower case."""
    named = {name.lower(): header for name, header in response.members("headers").items()}
    return {name: header for name, header in named.items() if name != _IGNORED_HEADER}


def _links(response: Part) -> Mapping[str, Part]:
    return response.members("links")


def _always_there(where: str, old: Part, new: Part) -> Iterator[Change]:
    before, after = bool(old.literal("required")), bool(new.literal("required"))
    if before and not after:
        why = "clients count on it"
        yield breaking(new.place, where, "it may be absent now", why, Side.READERS)
    elif after and not before:
        yield compatible(new.place, where, "it is always there now", "clients had to expect it")


_HEADER: dict[str, Rule] = {
    **DESCRIBED,
    "required": _always_there,
    "schema": schema(Side.READERS),
    "content": content(Side.READERS),
}
_RESPONSE: dict[str, Rule] = {
    "description": annotation,
    "headers": _by_name(
        "header",
        _headers,
        _HEADER,
        gone="clients that read it do not find it",
        added="clients that do not know it pass it over",
    ),
    "content": content(Side.READERS),
    "links": _by_name(
        "link",
        _links,
        {"description": annotation},
        gone="clients that follow it do not find it",
        added="nobody has to follow it",
    ),
}
