"""Compares the servers of AsyncAPI, by their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from asyncapi_server.diff.addresses import addresses, compare_variables, default_address
from asyncapi_server.diff.asyncapi.credentials import security
from asyncapi_server.diff.changes import Change, breaking, compatible
from asyncapi_server.diff.parts import Part
from asyncapi_server.diff.rules import Rule, annotation, compare_objects, elsewhere

_SERVER: dict[str, Rule] = {
    **dict.fromkeys(("title", "summary", "description", "tags", "externalDocs"), annotation),
    **dict.fromkeys(("url", "host", "pathname", "protocol", "variables"), elsewhere),
    "security": security,
}


def compare_servers(
    old: Mapping[str, Part], new: Mapping[str, Part], holder: Part
) -> Iterator[Change]:
    """The changes of the servers of two documents."""
    for name in dict.fromkeys((*old, *new)):
        where = f"server {name}"
        before, after = old.get(name), new.get(name)
        if after is None:
            yield breaking(holder.place, where, "the server is gone", "clients connect to it")
        elif before is None:
            yield compatible(after.place, where, "the server is new", "nobody has to use it")
        else:
            yield from _addresses(where, before, after)
            yield from compare_objects(where, before, after, _SERVER)
            yield from compare_variables(where, before, after)


def _addresses(where: str, old: Part, new: Part) -> Iterator[Change]:
    one, two = _template(old), _template(new)
    mine, theirs = old.members("variables"), new.members("variables")
    before, after = addresses(one, mine), addresses(two, theirs)
    if not before <= after:
        step = f"{one} becomes {two}" if one != two else "some of its addresses are gone"
        yield breaking(new.place, where, step, "clients connect to the old address")
    elif before != after:
        yield compatible(new.place, where, "it has more addresses", "the old ones are served still")
    first, now = default_address(one, mine), default_address(two, theirs)
    if first != now and before <= after:
        why = "clients that keep the defaults of its variables connect to it"
        yield breaking(new.place, where, f"{first} is no default any more", why)


def _template(server: Part) -> str:
    """Protocol and address, with variables."""
    protocol = str(server.literal("protocol", ""))
    if "url" not in server:  # AsyncAPI 3
        host, path = (str(server.literal(key, "")) for key in ("host", "pathname"))
        return f"{protocol}://{host}{path}"
    scheme, _, address = str(server.literal("url")).rpartition("://")
    return (
        f"{protocol}://{address}"
        if scheme in ("", protocol)
        else f"{protocol} {scheme}://{address}"
    )
