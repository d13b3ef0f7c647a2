"""Parts of two bundled documents, compared key by key so that no change goes unnoticed.

An object is compared by rules, one for each key that the comparison models. A difference under any
other key is breaking until a rule states what it means to clients.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from asyncapi_server import pointer as jsonpointer
from scripts.compat.changes import Change, breaking

Object = Mapping[str, object]

ANNOTATIONS = frozenset(
    {
        *("description", "summary", "title", "example", "examples", "externalDocs"),
        *("x-enum-varnames", "x-facts"),
    }
)
"""Keys of objects other than maps that only people, or our generator, read."""
NOT_MODELLED = "not modelled: what it means to clients is not known, so it counts as breaking"
_NONE: Object = {}


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A value of a self-contained document, and its place. It is never a reference."""

    document: Object
    pointer: str
    value: object
    beside: Object = field(default_factory=dict)
    """The keys beside the references that led here, without annotations."""

    @classmethod
    def at(cls, document: Object, pointer: str = "") -> Part:
        """The value at a pointer, references followed. Raises ValueError when there is none."""
        beside: dict[str, object] = {}
        met = [pointer]
        while True:
            value = jsonpointer.lookup(document, jsonpointer.tokens(pointer))
            if value is jsonpointer.MISSING:
                raise ValueError(f"#{met[0]} refers to #{pointer}, which is not there")
            target = value.get("$ref") if isinstance(value, Mapping) else None
            if not isinstance(value, Mapping) or not isinstance(target, str):
                return cls(document, pointer, value, beside)
            beside.update((k, v) for k, v in value.items() if k not in {"$ref", *ANNOTATIONS})
            pointer = fragment(target)
            if pointer in met:
                raise ValueError(f"the references from #{met[0]} form a cycle")
            met.append(pointer)

    def __contains__(self, key: str) -> bool:
        return key in self.fields

    @property
    def fields(self) -> Object:
        """The value, or an empty object when it is no object."""
        return self.value if isinstance(self.value, Mapping) else _NONE

    def child(self, token: str | int) -> Part:
        """A member or element, which must exist."""
        return Part.at(self.document, jsonpointer.child(self.pointer, token))

    def without_value(self) -> Part:
        """An empty object in its place."""
        return Part(self.document, self.pointer, {})

    def get(self, key: str) -> Part | None:
        """The member, or None."""
        return self.child(key) if key in self else None

    def members(self, key: str) -> dict[str, Part]:
        """The members of the object at `key`; none when there is no such object."""
        found = self.get(key)
        return {} if found is None else {name: found.child(name) for name in found.fields}

    def elements(self, key: str) -> list[Part]:
        """The elements of the array at `key`; none when there is no such array."""
        found = self.get(key)
        if found is None or not isinstance(found.value, list):
            return []
        return [found.child(index) for index in range(len(found.value))]

    def literal(self, key: str, default: object = None) -> object:
        """The plain value at `key`."""
        found = self.get(key)
        return default if found is None else found.value


Rule = Callable[[str, Part, Part], Iterable[Change]]
"""Compares the values under one key of two objects; the text is their place, for people."""


def annotation(_place: str, _old: Part, _new: Part) -> Iterable[Change]:
    """The rule for keys that clients do not depend on."""
    return ()


def elsewhere(_place: str, _old: Part, _new: Part) -> Iterable[Change]:
    """The rule for keys that take effect, and are compared, at another place."""
    return ()


def compare_objects(
    place: str, old: Part, new: Part, rules: Mapping[str, Rule]
) -> Iterator[Change]:
    """The changes of two objects by the rules of their keys."""
    if not equal(old.beside, new.beside):
        step = f"{short(old.beside)} beside a reference becomes {short(new.beside)}"
        yield breaking(f"#{new.pointer}", step, NOT_MODELLED)
    if not isinstance(old.value, Mapping) or not isinstance(new.value, Mapping):
        yield from unmodelled(old, new)
        return
    for key in dict.fromkeys((*old.value, *new.value)):
        rule = rules.get(key)
        if rule is None:
            yield from unmodelled(old.get(key), new.get(key))
        else:
            yield from rule(place, old, new)


def unmodelled(old: Part | None, new: Part | None) -> Iterator[Change]:
    """A breaking change for each place at which two values differ, references followed."""
    yield from _unmodelled(old, new, set())


def _unmodelled(old: Part | None, new: Part | None, met: set[tuple[str, str]]) -> Iterator[Change]:
    if old is None or new is None:
        there = old or new
        if there is not None:
            step = f"{short(there.value)} is {'gone' if new is None else 'new'}"
            yield breaking(f"#{there.pointer}", step, NOT_MODELLED)
        return
    if (old.pointer, new.pointer) in met:
        return
    met.add((old.pointer, new.pointer))
    if isinstance(old.value, Mapping) and isinstance(new.value, Mapping):
        for key in dict.fromkeys((*old.value, *new.value)):
            yield from _unmodelled(old.get(key), new.get(key), met)
        if not equal(old.beside, new.beside):
            step = f"{short(old.beside)} beside a reference becomes {short(new.beside)}"
            yield breaking(f"#{new.pointer}", step, NOT_MODELLED)
    elif (
        isinstance(old.value, list)
        and isinstance(new.value, list)
        and len(old.value) == len(new.value)
    ):
        for index in range(len(old.value)):
            yield from _unmodelled(old.child(index), new.child(index), met)
    elif not equal(old.value, new.value):
        step = f"{short(old.value)} becomes {short(new.value)}"
        yield breaking(f"#{new.pointer}", step, NOT_MODELLED)


def extensions(old: Part, new: Part, key: str) -> list[str]:
    """The extensions among the members of two maps."""
    names = dict.fromkeys((*old.members(key), *new.members(key)))
    return [name for name in names if name.startswith("x-")]


def fragment(reference: str) -> str:
    """The pointer that a reference inside its document names."""
    return unquote(reference.removeprefix("#"))


def equal(one: object, two: object) -> bool:
    """Whether two JSON values are the same; unlike `==` it distinguishes 1 from true."""
    return canonical(one) == canonical(two)


def canonical(value: object) -> str:
    """The canonical text of a JSON value, independent of the order of its keys."""
    return json.dumps(value, sort_keys=True, default=str)


def short(value: object) -> str:
    """A value as text, cut when it is long."""
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 120 else text[:117] + "..."
