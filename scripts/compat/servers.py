"""Compares the servers of two OpenAPI documents, as the URLs that clients may use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from math import prod

from scripts.compat.changes import Change, breaking, compatible
from scripts.compat.parts import Part, Rule, annotation, canonical, compare_objects, elsewhere

_DEFAULT = "/"
"""The URL of a document without servers."""
_MAX_URLS = 1000
_RULES: dict[str, Rule] = {"url": elsewhere, "variables": elsewhere, "description": annotation}
_VARIABLE: dict[str, Rule] = {"default": elsewhere, "enum": elsewhere, "description": annotation}


def compare_servers(place: str, old: list[Part], new: list[Part]) -> Iterator[Change]:
    """The changes of two lists of servers."""
    before, after = _urls(old), _urls(new)
    for url in sorted(before - after):
        yield breaking(f"{place}server {url}", "the server is gone", "clients send requests to it")
    for url in sorted(after - before):
        yield compatible(f"{place}server {url}", "the server is new", "nobody has to use it")
    first, now = (_defaults(servers)[0] for servers in (old, new))
    if first != now:
        step = f"{first} becomes {now}"
        yield breaking(f"{place}first server", step, "generated clients call the first by default")
    for url in sorted(set(_defaults(old)) - set(_defaults(new)) - (before - after)):
        why = "clients that keep the defaults of its variables send requests to it"
        yield breaking(f"{place}server {url}", "it is no default any more", why)
    known = {str(server.literal("url")): server for server in new}
    for server in old:
        other = known.get(str(server.literal("url")))
        if other is not None:
            yield from _server(place, server, other)


def _server(place: str, old: Part, new: Part) -> Iterator[Change]:
    yield from compare_objects(place, old, new, _RULES)
    mine, theirs = old.members("variables"), new.members("variables")
    for name in mine.keys() & theirs.keys():
        yield from compare_objects(place, mine[name], theirs[name], _VARIABLE)


def _urls(servers: list[Part]) -> set[str]:
    """Every URL; a variable that may have any value stays a variable."""
    found = set() if servers else {_DEFAULT}
    for server in servers:
        url = str(server.literal("url"))
        variables = server.members("variables")
        choices = {
            name: [str(value.value) for value in variables[name].elements("enum")]
            if "enum" in variables[name]
            else [f"{{{name}}}"]
            for name in re.findall(r"\{([^}]*)\}", url)
            if name in variables
        }
        if prod(map(len, choices.values())) > _MAX_URLS:
            found.add(canonical(server.value))
            continue
        for values in product(*choices.values()):
            found.add(_filled(url, dict(zip(choices, values, strict=True))))
    return found


def _defaults(servers: list[Part]) -> list[str]:
    """The URL of each server with the defaults of its variables."""
    return [
        _filled(
            str(server.literal("url")),
            {
                name: str(variable.literal("default"))
                for name, variable in server.members("variables").items()
            },
        )
        for server in servers
    ] or [_DEFAULT]


def _filled(url: str, values: dict[str, str]) -> str:
    return re.sub(r"\{([^}]*)\}", lambda match: values.get(match[1], match[0]), url)
