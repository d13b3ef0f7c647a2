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
    return "".join(child("", part) for part in parts)


def child(pointer: str, token: str | int) -> str:
    """The pointer of a member of the value at `pointer`."""
    text = str(token)
    if "~" in text or "/" in text:
        text = text.replace("~", "~0").replace("/", "~1")
    return f"{pointer}/{text}"


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


def without(value: object, path: tuple[str, ...]) -> object:
    """A copy of a value without the member at unescaped tokens of objects."""
    if not path or not isinstance(value, dict) or path[0] not in value:
        return value
    if len(path) == 1:
        return {key: member for key, member in value.items() if key != path[0]}
    return {**value, path[0]: without(value[path[0]], path[1:])}
