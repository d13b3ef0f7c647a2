"""The references of a document: where they are, and where they lead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from asyncapi_server.document.source import DanglingReference, Library, Node
from asyncapi_server.findings import Finding, Rule

DATA = frozenset({"const", "default", "enum", "example", "examples"})
"""Keys whose values are data, in which `$ref` means nothing."""
NAMES = frozenset(
    {"$defs", "channels", "correlationIds", "definitions", "dependencies", "dependentSchemas",
     "messages", "messageTraits", "operationTraits", "operations", "parameters",
     "patternProperties", "properties", "replies", "replyAddresses", "schemas", "securitySchemes",
     "servers", "variables"}
)  # fmt: skip
"""Keys below which the keys are names that somebody chose."""
REFERRING = frozenset({"x-response", "x-servers"})
"""Extensions that have references; all others are data."""


def is_data(key: str) -> bool:
    """Whether the value of a key, which is no name, is data."""
    return key in DATA or (key.startswith("x-") and key not in REFERRING)


def references(node: Node) -> Iterator[Node]:
    """Every reference at a node and below it."""
    waiting = [(node, False)]
    while waiting:
        here, are_names = waiting.pop()
        if here.reference is not None:
            yield here
            continue
        waiting += ((element, False) for element in here.elements())
        waiting += (
            (member, name in NAMES and not are_names)
            for name, member in here.items()
            if are_names or not is_data(name)
        )


def dangling(library: Library, root: Node) -> Iterator[Finding]:
    """References that lead nowhere, in the document and in each file that it leads to."""
    done: set[tuple[str, str]] = set()
    while fresh := [node for node in (root, *library.roots) if node.identity not in done]:
        for node in {n.identity: n for n in fresh}.values():
            done.add(node.identity)
            for reference in references(node):
                try:
                    reference.follow()
                except DanglingReference as error:
                    yield Finding(reference.place, str(error), Rule.REFERENCE)


def unused(library: Library, root: Node) -> Iterator[Finding]:
    """Messages and schemas of the document that nothing refers to."""
    used = {target for node in library.roots for target in _targets(node)}
    above = {prefix for file, pointer in used for prefix in _prefixes(file, pointer)}
    for kind in ("messages", "schemas"):
        for name, node in root.items_of("components", kind):
            if node.identity not in above:
                text = f"{name!r} of components.{kind} is used by nothing"
                yield Finding(node.place, text, Rule.UNUSED)


def _targets(node: Node) -> Iterator[tuple[str, str]]:
    """The direct targets of the references below a node."""
    for reference in references(node):
        with suppress(DanglingReference):
            yield reference.target(reference.reference or "").identity


def _prefixes(file: str, pointer: str) -> Iterator[tuple[str, str]]:
    """A place and all those that hold it."""
    while pointer:
        yield file, pointer
        pointer = pointer.rpartition("/")[0]
