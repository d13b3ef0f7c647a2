"""JSON values as text."""

from __future__ import annotations

import json
from collections.abc import Mapping

Object = Mapping[str, object]

MAX_CHARS = 120
"""Longest text of one value in a report; more is cut."""


def equal(one: object, two: object) -> bool:
    """Whether two JSON values are the same; unlike `==` it distinguishes 1 from true."""
    return canonical(one) == canonical(two)


def canonical(value: object) -> str:
    """The canonical text of a JSON value, independent of the order of its keys."""
    return json.dumps(value, sort_keys=True, default=str)


def short(value: object) -> str:
    """A value as text for people, cut when it is long."""
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= MAX_CHARS else text[: MAX_CHARS - 3] + "..."
