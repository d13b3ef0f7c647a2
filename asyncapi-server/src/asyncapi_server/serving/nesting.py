"""The bound on the nesting of messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

MAX_DEPTH = 64
"""Levels of nested arrays and objects in one message."""
_CONTAINERS = frozenset({dict, list})


def is_too_deep(text: str | bytes, payload: object) -> bool:
    """Whether the nesting exceeds MAX_DEPTH; a message with few brackets cannot."""
    if isinstance(text, str):
        brackets = text.count("[") + text.count("{")
    else:
        brackets = text.count(b"[") + text.count(b"{")
    if brackets <= MAX_DEPTH:
        return False
    level: list[object] = [payload]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for value in level
            for child in _members(value)
            if type(child) in _CONTAINERS  # isinstance takes three times as long here
        ]
        if not level:
            return False
    return True


def _members(value: object) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else cast("list[object]", value)
