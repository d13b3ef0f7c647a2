"""Differences of two JSON Schemas at one place, and rules for keywords that validation ignores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from asyncapi_server.pointer import MISSING
from scripts.compat.changes import Direction, Level
from scripts.compat.parts import NOT_MODELLED, equal, short
from scripts.compat.schemas import WORDS, Effect, Schema

BOTH = frozenset(Direction)
_NOBODY: frozenset[Direction] = frozenset()


@dataclass(frozen=True, slots=True)
class Difference:
    path: str
    what: str
    effect: Effect
    proven: bool = True
    """Whether the effect of the whole schemas covers it."""
    fixed: frozenset[Direction] | None = None
    """The directions in which it breaks whatever the schemas accept; None: by its effect."""
    why: str = ""
    otherwise: Level = Level.COMPATIBLE
    """The level when it does not break."""
    pointer: str = ""
    """Its place in the document, when no rule models it."""


def unvalidated(old: Schema, new: Schema, path: str) -> Iterator[Difference]:
    """The differences of keywords that validation ignores."""
    before, after = old.plain(), new.plain()
    for keyword in sorted({*before, *after} - old.dialect.assertions - WORDS):
        absent = False if keyword in _FLAGS else MISSING
        one, two = before.get(keyword, absent), after.get(keyword, absent)
        if not equal(one, two):
            rule = _RULES.get(keyword)
            if rule is None:
                yield unmodelled_keyword(new, path, keyword, one, two)
            else:
                yield rule(path, one, two)


def unmodelled_keyword(
    schema: Schema, path: str, keyword: str, before: object, after: object
) -> Difference:
    """A keyword without a rule, which breaks in both directions."""
    return Difference(
        path,
        _becomes(keyword, before, after),
        Effect.OTHER,
        fixed=BOTH,
        why=NOT_MODELLED,
        pointer=schema.follow().pointer,
    )


def _becomes(keyword: str, before: object, after: object) -> str:
    one, two = ("none" if value is MISSING else short(value) for value in (before, after))
    return f"{keyword} {one} becomes {two}"


def _format(path: str, before: object, after: object) -> Difference:
    """The rule for `format`, which validators ignore but generated code does not."""
    found = Effect.OTHER
    if before is MISSING:
        found = Effect.NARROWER
    elif after is MISSING:
        found = Effect.WIDER
    why = "code that was written for the old format may not understand the new one"
    step = _becomes("format", before, after)
    return Difference(path, step, found, proven=False, why=why)


def _default(path: str, before: object, after: object) -> Difference:
    return Difference(
        path,
        _becomes("default", before, after),
        Effect.OTHER,
        fixed=frozenset({Direction.CLIENT}),
        why="a request that leaves it out means something else now",
    )


def _read_only(path: str, before: object, after: object) -> Difference:
    fixed = frozenset({Direction.CLIENT}) if after is True else _NOBODY
    why = "clients may not send it any more" if fixed else "clients get it as before"
    step = _becomes("readOnly", before, after)
    return Difference(path, step, Effect.OTHER, fixed=fixed, why=why)


def _write_only(path: str, before: object, after: object) -> Difference:
    fixed = frozenset({Direction.SERVER}) if after is True else _NOBODY
    why = "clients do not get it any more" if fixed else "clients may send it as before"
    step = _becomes("writeOnly", before, after)
    return Difference(path, step, Effect.OTHER, fixed=fixed, why=why)


def _deprecated(path: str, before: object, after: object) -> Difference:
    why = "it is served as before; clients may prepare"
    step = _becomes("deprecated", before, after)
    return Difference(path, step, Effect.OTHER, fixed=_NOBODY, why=why)


_FLAGS = frozenset({"deprecated", "nullable", "readOnly", "writeOnly"})
"""Keywords that are false when they are absent."""
_RULES = {
    "default": _default,
    "deprecated": _deprecated,
    "format": _format,
    "readOnly": _read_only,
    "writeOnly": _write_only,
}
"""The rules for keywords that validation ignores."""
