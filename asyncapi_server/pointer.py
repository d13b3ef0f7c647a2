"""JSON pointers (RFC 6901)."""

from __future__ import annotations

from collections.abc import Iterable

MISSING = object()
"""Returned by `lookup` for a place that does not exist (None is a JSON value)."""


def tokens(pointer: str) -> tuple[str, ...]:
    """The unescaped reference tokens of a pointer: "/a~1b/0" -> ("a/b", "0")."""
    if not pointer:
        return ()
    if not pointer.startswith("/"):
        raise ValueError(f"not a JSON pointer: {pointer!r} does not start with '/'")
    return tuple(t.replace("~1", "/").replace("~0", "~") for t in pointer[1:].split("/"))


def join(parts: Iterable[str | int]) -> str:
    """The pointer of unescaped tokens: ("a/b", 0) -> "/a~1b/0"."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def child(pointer: str, token: str | int) -> str:
    """The pointer of a member of the value at `pointer`."""
    return pointer + join((token,))


def step(value: object, token: str) -> object:
    """The member that one token names, or MISSING."""
    if isinstance(value, dict):
        return value.get(token, MISSING)
    if isinstance(value, list) and token.isascii() and token.isdigit() and int(token) < len(value):
        return value[int(token)]
    return MISSING


def lookup(value: object, path: Iterable[str]) -> object:
    """The value at unescaped tokens, or MISSING."""
    for token in path:
        value = step(value, token)
        if value is MISSING:
            break
    return value
