"""Components that a document does not use, whose changes affect no client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from asyncapi_server.pointer import join, lookup, tokens
from scripts.compat.changes import Change, Level
from scripts.compat.parts import Object, Part, canonical, extensions, fragment, unmodelled


def unused_components(_place: str, old: Part, new: Part) -> Iterator[Change]:
    """The rule for `components`: those in use are compared where they are used."""
    for key in extensions(old, new, "components"):
        yield from unmodelled(*(part.members("components").get(key) for part in (old, new)))
    mine, theirs = _unused(old.document), _unused(new.document)
    for pointer in sorted(mine.keys() & theirs.keys()):
        if mine[pointer] != theirs[pointer] and None not in (mine[pointer], theirs[pointer]):
            what, why = "a component that nothing uses is another one", "nothing refers to it"
            yield Change(Level.WORDS, f"#{pointer}", what, why)


def _unused(document: Object) -> dict[str, str | None]:
    """The text of each component, None for one that the rest of the document uses."""
    waiting = [value for key, value in document.items() if key != "components"]
    reached: set[str] = set()
    while waiting:
        for reference in _references(waiting.pop()):
            pointer = join(tokens(fragment(reference))[:3])
            if pointer not in reached:
                reached.add(pointer)
                waiting.append(lookup(document, tokens(pointer)))
    found: dict[str, str | None] = {}
    kinds = document.get("components")
    for kind, components in kinds.items() if isinstance(kinds, Mapping) else ():
        if kind == "securitySchemes":  # used by name, not by reference
            continue
        for name, component in components.items() if isinstance(components, Mapping) else ():
            pointer = join(("components", kind, name))
            found[pointer] = None if pointer in reached else canonical(component)
    return found


def _references(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for element in value:
            yield from _references(element)
    elif isinstance(value, Mapping):
        target = value.get("$ref")
        if isinstance(target, str):
            yield target
        for member in value.values():
            yield from _references(member)
