"""Differences of two schemas at one place, and rules for keywords that validation ignores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from asyncapi_server.diff.changes import EVERYONE, Level, Side
from asyncapi_server.diff.rules import NOT_MODELLED
from asyncapi_server.diff.schemas.effects import Effect
from asyncapi_server.diff.schemas.schema import Schema
from asyncapi_server.diff.values import equal, short
from asyncapi_server.document.source import Node
from asyncapi_server.pointer import MISSING

_NOBODY: frozenset[Side] = frozenset()


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference, before it is judged by the side that it concerns."""

    path: str
    what: str
    effect: Effect
    node: Node
    """The new schema."""
    proven: bool = True
    """Whether the effect of the whole schemas covers it."""
    fixed: frozenset[Side] | None = None
    """The sides that it breaks whatever the schemas accept; None: by its effect."""
    why: str = ""
    otherwise: Level = Level.COMPATIBLE
    """The level when it does not break."""
    is_modelled: bool = True
    """Whether a rule says what it means; if none does, its place is that in the document."""


def unvalidated(
    old: Mapping[str, Node], new: Mapping[str, Node], node: Node, path: str
) -> Iterator[Difference]:
    """The differences of keywords that validation ignores, of the new schema at a node."""
    for keyword in sorted({*old, *new}):
        absent = False if keyword in _FLAGS else MISSING
        one, two = (each[keyword].value if keyword in each else absent for each in (old, new))
        if equal(one, two):
            continue
        step = _step(keyword, one, two)
        if keyword == "format":
            yield _format(path, step, node, one, two)
        elif keyword in _RULES:
            whom, broken, otherwise = _RULES[keyword]
            fixed = whom if keyword not in _FLAGS or two is True else _NOBODY
            why = broken if fixed else otherwise
            yield Difference(path, step, Effect.OTHER, node, fixed=fixed, why=why)
        else:
            yield unmodelled(node, path, step)


def beside(old: Schema, new: Schema, path: str) -> Difference:
    """The difference of what stands beside two references and has no meaning there."""
    step = _step("what stands beside $ref", old.beside, new.beside)
    return unmodelled(new.node, path, step)


def unmodelled(node: Node, path: str, step: str) -> Difference:
    """A difference of the new schema at a node that has no rule, which breaks both sides."""
    return Difference(
        path,
        step,
        Effect.OTHER,
        node,
        fixed=EVERYONE,
        why=NOT_MODELLED,
        is_modelled=False,
    )


def _step(keyword: str, before: object, after: object) -> str:
    one, two = ("none" if value is MISSING else short(value) for value in (before, after))
    return f"{keyword} {one} becomes {two}"


def _format(path: str, step: str, node: Node, before: object, after: object) -> Difference:
    """The rule for `format`, which validators ignore but generated code does not."""
    found = Effect.OTHER
    if before is MISSING:
        found = Effect.NARROWER
    elif after is MISSING:
        found = Effect.WIDER
    why = "code that was written for the old format may not understand the new one"
    return Difference(path, step, found, node, proven=False, why=why)


_FLAGS = frozenset({"deprecated", "nullable", "readOnly", "writeOnly"})
"""Keywords that are false when they are absent, and break only when they become true."""
_RULES: dict[str, tuple[frozenset[Side], str, str]] = {
    "default": (
        frozenset({Side.SENDERS}), "a request that leaves it out means something else now", ""
    ),
    "deprecated": (_NOBODY, "", "it is served as before; clients may prepare"),
    "readOnly": (
        frozenset({Side.SENDERS}), "clients may not send it any more", "clients get it as before"
    ),
    "writeOnly": (
        frozenset({Side.READERS}), "clients do not get it any more", "clients may send it as before"
    ),
}  # fmt: skip
"""Keywords that validation ignores: whom they break, why, and why not."""
