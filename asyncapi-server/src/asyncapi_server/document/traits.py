"""Objects with their traits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from asyncapi_server.document.source import Node


@dataclass(frozen=True, slots=True)
class Traited:
    """A message or operation together with its traits, what counts more first."""

    node: Node
    parts: tuple[Node, ...]

    def raw(self, key: str) -> Node | None:
        """The member that counts, references not followed; None when no part has one."""
        found = (part.raw(key) for part in self.parts)
        return next((member for member in found if member is not None), None)

    def text(self, key: str) -> str | None:
        """The text that counts, or None when there is none."""
        member = self.raw(key)
        return member.value if member is not None and isinstance(member.value, str) else None


def traited(node: Node, follow: Callable[[Node], Node | None], *, traits_win: bool) -> Traited:
    """An object with its traits, of which a later one counts more than an earlier one.

    In 2.x they are merged into the object and override what it has (`traits_win`); in 3.x they
    give only what it lacks.
    """
    declared = node.raw("traits")
    traits = [follow(trait) for trait in declared.elements()] if declared is not None else []
    found = tuple(trait for trait in reversed(traits) if trait is not None)
    return Traited(node, (*found, node) if traits_win else (node, *found))
