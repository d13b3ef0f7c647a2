"""The texts of the parts of a document, traits included."""

from __future__ import annotations

from collections.abc import Iterator

from asyncapi_server.docs.description import About, Link
from asyncapi_server.document.source import DanglingReference, Node
from asyncapi_server.document.traits import Traited, traited


def followed(node: Node | None) -> Node | None:
    """The end of a node's references; None when there is none."""
    try:
        return None if node is None else node.follow()
    except DanglingReference:
        return None


def below(node: Node | None, *path: str | int) -> Node | None:
    """The value below a node, references followed; None when there is none."""
    try:
        return None if node is None else node.get(*path)
    except DanglingReference:
        return None


def members(node: Node | None, *path: str) -> Iterator[tuple[str, Node]]:
    """The members of an object below a node, each followed; dangling ones are left out."""
    found = below(node, *path)
    for name, member in found.items() if found is not None else ():
        target = followed(member)
        if target is not None:
            yield name, target


def elements(node: Node | None, *path: str) -> Iterator[Node]:
    """The elements of an array below a node, each followed; dangling ones are left out."""
    found = below(node, *path)
    for element in found.elements() if found is not None else ():
        target = followed(element)
        if target is not None:
            yield target


def whole(node: Node) -> Traited:
    """An object with its traits."""
    return traited(node, followed, traits_win=(_version(node) < "3"))


def about(part: Traited) -> About:
    """The texts of a part of a document."""
    return About(
        title=part.text("title") or "",
        summary=part.text("summary") or "",
        description=part.text("description") or "",
        tags=tuple(_tags(part.raw("tags"))),
        link=_link(followed(part.raw("externalDocs"))),
    )


def _tags(tags: Node | None) -> Iterator[str]:
    for element in elements(tags) if tags is not None else ():
        name = element.text("name")
        if name:
            yield name


def _link(node: Node | None) -> Link | None:
    url = node.text("url") if node is not None else None
    if node is None or not url:
        return None
    return Link(url, node.text("description") or "")


def _version(node: Node) -> str:
    """The version of AsyncAPI of the document that opened a node's library."""
    root = next(node.library.roots)
    return root.text("asyncapi") or ""
