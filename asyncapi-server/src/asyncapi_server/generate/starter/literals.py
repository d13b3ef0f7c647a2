"""Values of JSON as source of Python, on as few lines as fit."""

from __future__ import annotations

from collections.abc import Iterator

WIDTH = 100


class Expression(str):
    """Source that stands for itself among values."""

    __slots__ = ()


def literal(value: object, column: int, indent: int) -> str:
    """A value that begins at a column, in a statement that begins at an indent."""
    flat = _flat(value)
    if column + len(flat) <= WIDTH or not isinstance(value, dict | list) or not value:
        return flat
    inner = " " * (indent + 4)
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    lines = "".join(
        f"{inner}{key}{literal(member, indent + 4 + len(key), indent + 4)},\n"
        for key, member in _members(value)
    )
    return f"{opening}\n{lines}{' ' * indent}{closing}"


def _flat(value: object) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}{_flat(member)}' for key, member in _members(value))}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flat, value))}]"
    return _text(value) if isinstance(value, str) else repr(value)


def _members(value: dict[str, object] | list[object]) -> Iterator[tuple[str, object]]:
    """The members, each with what stands before it."""
    if isinstance(value, dict):
        yield from ((f"{_text(key)}: ", member) for key, member in value.items())
    else:
        yield from (("", member) for member in value)


def _text(text: str) -> str:
    if isinstance(text, Expression):
        return str(text)
    found = repr(text)
    return f'"{found[1:-1]}"' if '"' not in found else found
