"""Payloads: JSON with exact decimals, and their members by path."""

from __future__ import annotations

import json
import re
import secrets
from decimal import Decimal
from typing import Any, Final

from pydantic_core import from_json

Path = tuple[str, ...]
"""The way to a member of a payload."""
MISSING: Final = object()
"""The value of a member that is not there."""

_MARK = secrets.token_hex(16)
"""Stands around a Decimal until the text is made; nobody else can write it."""
_MARKED = re.compile(rf'"{_MARK}:([^"]*)"')


def decoded(text: str) -> Any:
    """The value of JSON text; raises ValueError."""
    return from_json(text, allow_inf_nan=False)


def encoded(payload: object) -> str:
    """A payload as compact JSON; a Decimal is a number with exactly its digits."""
    text = json.dumps(
        payload, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_marked
    )
    return _MARKED.sub(r"\1", text)


def lookup(value: object, path: Path) -> object:
    """The value at a path, or MISSING."""
    for token in path:
        if isinstance(value, dict):
            value = value.get(token, MISSING)
        elif isinstance(value, list | tuple) and token.isdecimal() and int(token) < len(value):
            value = value[int(token)]
        else:
            return MISSING
    return value


def with_member(value: object, path: Path, member: object) -> object:
    """A copy of an object with a value set at a path of members."""
    if not path:
        return member
    if not isinstance(value, dict):
        return value
    return {**value, path[0]: with_member(value.get(path[0], {}), path[1:], member)}


def is_same(one: object, other: object) -> bool:
    """Whether two values of JSON are equal: true is not 1."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _marked(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{_MARK}:{value}"
    raise TypeError(f"{type(value).__name__} is no JSON: give plain values")
