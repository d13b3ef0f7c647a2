"""Objects merged with their traits (JSON Merge Patch, RFC 7396)."""

from __future__ import annotations

from typing import cast

from asyncapi_server.diff.parts import Part, made
from asyncapi_server.document.source import Node


def traited(part: Part) -> Part:
    """An object with its traits merged into it.

    In AsyncAPI 2 they override what it has, in 3 they give what it lacks. Raises DocumentError when
    files that lie apart give members of one object below it: a value has the place of one file.
    """
    traits = part.elements("traits")
    if not traits:
        return part
    own = [(key, node) for key in part.fields if key != "traits" and (node := part.raw(key))]
    layers = [_members(trait) for trait in traits]
    layers = [own, *layers] if part.spec.edition < "3" else [*layers, own]
    members: dict[str, Node] = {}
    for key, node in (member for layer in layers for member in layer):
        if node.value is None:
            members.pop(key, None)
        else:
            members[key] = _patched(members.get(key), node, part)
    return part.with_members(members)


def _members(trait: Part) -> list[tuple[str, Node]]:
    """The members of a trait; what stands beside the reference to it counts as one."""
    beside = ((key, made(trait.node, value, key)) for key, value in trait.beside.items())
    return [*trait.node.items(), *beside]


def _patched(under: Node | None, over: Node, holder: Part) -> Node:
    """A value with another one over it: objects are merged, all else replaces."""
    if under is None or not isinstance(under.value, dict) or not isinstance(over.value, dict):
        return over
    if under.source is not over.source or under.source is not holder.node.source:
        text = f"it and a trait of another file both have {over.key!r}: put them into one file"
        raise holder.fault(text)
    return made(holder.node, _merged(under.value, over.value), over.key)


def _merged(under: dict[str, object], over: dict[str, object]) -> dict[str, object]:
    result = dict(under)
    for key, value in over.items():
        below = result.get(key)
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            result[key] = _merged(
                cast("dict[str, object]", below) if isinstance(below, dict) else {}, value
            )
        else:
            result[key] = value
    return result
