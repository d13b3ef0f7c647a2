"""Components that a document does not use, whose changes affect no client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from asyncapi_server.diff.changes import Change, words
from asyncapi_server.diff.parts import Part
from asyncapi_server.diff.rules import extensions
from asyncapi_server.diff.values import canonical
from asyncapi_server.document.source import DanglingReference, Node
from asyncapi_server.pointer import join, tokens

_BY_NAME = frozenset({"securitySchemes"})
"""Kinds of components that are used by name, not by reference."""


def unused_components(_where: str, old: Part, new: Part) -> Iterator[Change]:
    """The rule for `components`: those in use are compared where they are used."""
    yield from extensions(old, new, "components")
    mine, theirs = _unused(old), _unused(new)
    for pointer in sorted(mine.keys() & theirs.keys()):
        if canonical(mine[pointer].value) != canonical(theirs[pointer].value):
            what, why = "a component that nothing uses is another one", "nothing refers to it"
            yield words(theirs[pointer].place, f"#{pointer}", what, why)


def _unused(document: Part) -> dict[str, Node]:
    """The components, by pointer, that the rest of the document does not use."""
    used = _used(document)
    return {
        join(("components", kind, name)): component
        for kind, components in document.node.items_of("components")
        if kind not in _BY_NAME
        for name, component in components.items()
        if component.identity not in used
    }


def _used(document: Part) -> set[tuple[str, str]]:
    """The targets of references, of a reference into a component that component."""
    found: set[tuple[str, str]] = set()
    rest = {key: value for key, value in document.fields.items() if key != "components"}
    waiting: list[tuple[Node, object]] = [(document.node, rest)]  # each with a node of its file
    while waiting:
        node, value = waiting.pop()
        document.context.step()
        if isinstance(value, list):
            waiting += ((node, element) for element in value)
        if not isinstance(value, dict):
            continue
        waiting += ((node, member) for member in value.values())
        reference = value.get("$ref")
        if isinstance(reference, str):
            with suppress(DanglingReference):
                target = _component(node.target(reference), document)
                if target.identity not in found:
                    found.add(target.identity)
                    waiting.append((target, target.value))
    return found


def _component(node: Node, document: Part) -> Node:
    """The component that holds a value; the value itself when none does."""
    if node.source is document.node.source and node.pointer.startswith("/components/"):
        return document.node.raw(*tokens(node.pointer)[:3]) or node
    return node
