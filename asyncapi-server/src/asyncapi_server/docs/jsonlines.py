"""JSON on few lines, as people write it."""

from __future__ import annotations

import json
from collections.abc import Iterator

WIDTH = 76


def shown(value: object, width: int = WIDTH) -> str:
    """A value as JSON on few lines, which fit into `width` where possible."""
    return "\n".join(_lines(value, 0, width))


def _lines(value: object, indent: int, width: int) -> Iterator[str]:
    if not isinstance(value, dict | list) or not value or (indent and _fits(value, indent, width)):
        yield json.dumps(value, ensure_ascii=False)
        return
    named = isinstance(value, dict)
    members = value.items() if isinstance(value, dict) else enumerate(value)
    yield "{" if named else "["
    last = len(value) - 1
    for number, (key, member) in enumerate(members):
        head = f"{json.dumps(key, ensure_ascii=False)}: " if named else ""
        first, *rest = _lines(member, indent + 2, width)
        block = [f"  {head}{first}", *(f"  {line}" for line in rest)]
        block[-1] += "," if number < last else ""
        yield from block
    yield "}" if named else "]"


def _fits(value: object, indent: int, width: int) -> bool:
    return len(json.dumps(value, ensure_ascii=False)) + indent <= width
