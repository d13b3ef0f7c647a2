"""Compares what servers and operations ask for as credentials."""

from __future__ import annotations

from collections.abc import Iterator

from asyncapi_server.diff.changes import Change, breaking, compatible
from asyncapi_server.diff.parts import Part
from asyncapi_server.diff.rules import unmodelled
from asyncapi_server.diff.security import Alternative, holds, listed, schemes_of


def credentials(holder: Part) -> list[Alternative]:
    """The credentials that a server or an operation asks for, one of which is enough."""
    return listed(holder, schemes_of(holder.follow(holder.spec.root)))


def security(where: str, old: Part, new: Part) -> Iterator[Change]:
    """The rule for `security`."""
    before, after = credentials(old), credentials(new)
    if holds(before, after):
        if not holds(after, before):
            step, why = "fewer or other credentials are enough", "the old ones may still be sent"
            yield compatible(new.place, where, step, why)
        return
    why = "clients with the old credentials may be refused"
    found = list(unmodelled(old.get("security"), new.get("security"), new, why))
    yield from found or [breaking(new.place, where, "other credentials are asked for", why)]
