"""Verdicts as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from asyncapi_server.diff import Change, Level
from scripts.compat.documents import Verdict

MAX_PLACES = 5
"""Places that are printed for one change."""
_WORDS = {Level.BREAKING: "BREAKING", Level.COMPATIBLE: "compatible", Level.WORDS: "words"}


def lines(verdict: Verdict, base: str) -> Iterator[str]:
    """The changes of one document since the base, as lines for people."""
    if verdict.old is None:
        yield f"{verdict.name} is new since {base}"
        return
    if not verdict.changes:
        yield f"{verdict.name} {verdict.new}: no change since {base}"
        return
    yield f"{verdict.name}, {verdict.old} at {base}, {verdict.new or 'gone'} now:"
    yield from _changes(verdict.changes)
    if verdict.needs is None:
        yield "  asks for a new major version of another document"
    elif verdict.holds:
        yield f"  {verdict.new} is enough: these changes ask for a {verdict.part} version"
    else:
        yield f"  asks for a {verdict.part} version: set info.version to {verdict.needs} or above"


def _changes(changes: Iterable[Change]) -> Iterator[str]:
    """A change that a shared schema makes in many places is printed once, with the first ones."""
    places: dict[tuple[Level, str, str], list[str]] = {}
    for change in changes:
        places.setdefault((change.level, change.what, change.why), []).append(change.where)
    for (level, what, why), where in places.items():
        yield f"  {_WORDS[level]}: {what}"
        yield f"    why: {why}"
        yield from (f"    at {place}" for place in where[:MAX_PLACES])
        if len(where) > MAX_PLACES:
            yield f"    and at {len(where) - MAX_PLACES} more places"
