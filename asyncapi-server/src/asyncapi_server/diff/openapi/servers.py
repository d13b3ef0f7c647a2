"""Compares the servers of OpenAPI, as the URLs that clients may use."""

from __future__ import annotations

from collections.abc import Iterator

from asyncapi_server.diff.addresses import addresses, compare_variables, default_address
from asyncapi_server.diff.changes import Change, breaking, compatible
from asyncapi_server.diff.parts import Part
from asyncapi_server.diff.rules import Rule, annotation, compare_objects, elsewhere

_DEFAULT = "/"
"""The URL of a document without servers."""
_SERVER: dict[str, Rule] = {"url": elsewhere, "variables": elsewhere, "description": annotation}


def compare_servers(prefix: str, old: Part, new: Part) -> Iterator[Change]:
    """The changes of the servers of two objects."""
    mine, theirs = old.elements("servers"), new.elements("servers")
    before, after = _urls(mine), _urls(theirs)
    for url in sorted(before - after):
        what, why = "the server is gone", "clients send requests to it"
        yield breaking(new.place, f"{prefix}server {url}", what, why)
    for url in sorted(after - before):
        what, why = "the server is new", "nobody has to use it"
        yield compatible(new.place, f"{prefix}server {url}", what, why)
    first, now = (_defaults(servers)[0] for servers in (mine, theirs))
    if first != now:
        step, why = f"{first} becomes {now}", "generated clients call the first by default"
        yield breaking(new.place, f"{prefix}first server", step, why)
    for url in sorted(set(_defaults(mine)) - set(_defaults(theirs)) - (before - after)):
        why = "clients that keep the defaults of its variables send requests to it"
        yield breaking(new.place, f"{prefix}server {url}", "it is no default any more", why)
    known = {str(server.literal("url")): server for server in theirs}
    for server in mine:
        other = known.get(str(server.literal("url")))
        if other is not None:
            yield from compare_objects(prefix.rstrip() or "servers", server, other, _SERVER)
            yield from compare_variables(prefix.rstrip() or "servers", server, other)


def _urls(servers: list[Part]) -> set[str]:
    found = set() if servers else {_DEFAULT}
    for server in servers:
        found |= addresses(str(server.literal("url")), server.members("variables"))
    return found


def _defaults(servers: list[Part]) -> list[str]:
    """The URL of each server with the defaults of its variables."""
    return [
        default_address(str(server.literal("url")), server.members("variables"))
        for server in servers
    ] or [_DEFAULT]
