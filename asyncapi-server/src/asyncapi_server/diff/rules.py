"""Objects compared key by key, so that no change goes unnoticed.

There is a rule for each key that the comparison models. A difference under any other key is
breaking until a rule states what it means to clients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from asyncapi_server.diff.changes import Change, breaking
from asyncapi_server.diff.parts import Part
from asyncapi_server.diff.values import canonical, equal, short
from asyncapi_server.document.source import Node
from asyncapi_server.pointer import MISSING

NOT_MODELLED = "not modelled: what it means to clients is not known, so it counts as breaking"

Rule = Callable[[str, Part, Part], Iterable[Change]]
"""Compares the values under one key of two objects; the text says where, for people."""


def annotation(_where: str, _old: Part, _new: Part) -> Iterable[Change]:
    """The rule for keys that clients do not depend on."""
    return ()


def elsewhere(_where: str, _old: Part, _new: Part) -> Iterable[Change]:
    """The rule for keys that take effect, and are compared, at another place."""
    return ()


def compare_objects(
    where: str, old: Part, new: Part, rules: Mapping[str, Rule]
) -> Iterator[Change]:
    """The changes of two objects by the rules of their keys."""
    yield from _beside(old, new)
    if not isinstance(old.value, dict) or not isinstance(new.value, dict):
        yield from unmodelled(old, new, new)
        return
    for key in dict.fromkeys((*old.fields, *new.fields)):
        rule = rules.get(key)
        if rule is not None:
            yield from rule(where, old, new)
        else:
            yield from _Unmodelled(NOT_MODELLED).member(key, old, new)


def inside(key: str, rules: Mapping[str, Rule]) -> Rule:
    """The rule for an optional object; a missing one counts as empty."""

    def rule(where: str, old: Part, new: Part) -> Iterator[Change]:
        before = old.get(key) or old.with_members({})
        after = new.get(key) or new.with_members({})
        yield from compare_objects(where, before, after, rules)

    return rule


def unmodelled(
    old: Part | None, new: Part | None, holder: Part, why: str = NOT_MODELLED
) -> Iterator[Change]:
    """A breaking change for each place at which two values differ, references followed.

    `holder` is the part of the new document that holds the value, or held it.
    """
    yield from _Unmodelled(why).changes(old, new, holder)


class _Unmodelled:
    def __init__(self, why: str) -> None:
        self._why = why
        self._met: set[tuple[object, object]] = set()

    def member(self, key: str, old: Part, new: Part) -> Iterator[Change]:
        """The changes of a member of two objects."""
        if not key.startswith("x-"):
            yield from self.changes(old.get(key), new.get(key), new)
        elif key not in new.context.terms.ignored:
            yield from self._data(old.raw(key), new.raw(key), new)

    def changes(self, old: Part | None, new: Part | None, holder: Part) -> Iterator[Change]:
        there = new or old
        if there is None:
            return
        if old is None or new is None:
            one, two = (MISSING if part is None else part.value for part in (old, new))
            yield breaking((new or holder).place, there.name, _step(one, two), self._why)
            return
        if (old.node.identity, new.node.identity) in self._met:
            return
        self._met.add((old.node.identity, new.node.identity))
        yield from self._below(old, new)

    def _data(self, old: Node | None, new: Node | None, holder: Part) -> Iterator[Change]:
        """The change of an extension, in which a `$ref` means nothing."""
        there = new or old
        one, two = (MISSING if node is None else node.value for node in (old, new))
        if there is not None and not equal(one, two):
            place = holder.place if new is None else new.place
            yield breaking(place, holder.spec.name(there), _step(one, two), self._why)

    def _below(self, old: Part, new: Part) -> Iterator[Change]:
        if isinstance(old.value, dict) and isinstance(new.value, dict):
            for key in dict.fromkeys((*old.value, *new.value)):
                yield from self.member(key, old, new)
            yield from _beside(old, new)
        elif (
            isinstance(old.value, list)
            and isinstance(new.value, list)
            and len(old.value) == len(new.value)
        ):
            for one, two in zip(old.node.elements(), new.node.elements(), strict=True):
                yield from self.changes(old.follow(one), new.follow(two), new)
        elif not equal(old.value, new.value):
            yield breaking(new.place, new.name, _step(old.value, new.value), self._why)


def _step(before: object, after: object) -> str:
    if before is MISSING:
        return f"{short(after)} is new"
    if after is MISSING:
        return f"{short(before)} is gone"
    return f"{short(before)} becomes {short(after)}"


def _beside(old: Part, new: Part) -> Iterator[Change]:
    """The difference of what stands beside the references that led to two values."""
    if not equal(old.beside, new.beside):
        step = f"{short(old.beside)} beside a reference becomes {short(new.beside)}"
        yield breaking(new.place, new.name, step, NOT_MODELLED)


def extensions(old: Part, new: Part, key: str) -> Iterator[Change]:
    """The changes of the extensions among the members of two maps."""
    before = old.get(key) or old.with_members({})
    after = new.get(key) or new.with_members({})
    for name in dict.fromkeys((*before.fields, *after.fields)):
        if name.startswith("x-"):
            yield from _Unmodelled(NOT_MODELLED).member(name, before, after)


def references(key: str) -> Rule:
    """The rule for references, and lists of them, whose targets are compared elsewhere.

    Keys beside them break; objects that are no references are compared elsewhere too.
    """

    def rule(_where: str, old: Part, new: Part) -> Iterator[Change]:
        passed = {"$ref", *new.context.annotations}
        before, after = (sorted(_beside_each(part.fields.get(key), passed)) for part in (old, new))
        if before != after:
            step = f"{short(before)} becomes {short(after)} beside $ref"
            yield breaking(new.place, f"{new.name}/{key}", step, NOT_MODELLED)

    return rule


def _beside_each(value: object, passed: set[str]) -> Iterator[str]:
    if isinstance(value, list):
        for element in value:
            yield from _beside_each(element, passed)
    elif isinstance(value, dict) and ("$ref" in value or "oneOf" in value):
        known = {*passed, "oneOf"}
        yield from (f"{k}: {canonical(v)}" for k, v in value.items() if k not in known)
        yield from _beside_each(value.get("oneOf"), passed)
