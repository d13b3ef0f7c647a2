"""Reading AsyncAPI documents: the parts that 2.x and 3.x have in common."""

from __future__ import annotations

from collections.abc import Iterator

from asyncapi_server.diff.asyncapi.model import Message
from asyncapi_server.diff.asyncapi.traits import traited
from asyncapi_server.diff.parts import Part
from asyncapi_server.document.messages import X_RESPONSE, X_SERVERS
from asyncapi_server.document.source import Node


class Reader:
    """Reads the objects of one document. Its methods raise DocumentError."""

    def __init__(self, root: Part) -> None:
        self.root = root
        self.servers = root.objects("servers")

    def message(self, node: Node, name: str, *, is_named: bool = True) -> Message:
        """The message at a node, references not followed, with its traits."""
        part = self.root.follow(node)
        whole = traited(part)
        return Message(name, is_named, part.node.identity, whole, self.listed(whole, X_SERVERS))

    def listed(self, holder: Part, key: str) -> frozenset[str] | None:
        """The servers in a list, by name or by reference; None for all, without a list."""
        names = [self._server(holder, node) for node in holder.nodes(key)]
        return frozenset(names) or None

    def _server(self, holder: Part, node: Node) -> str:
        """The name of the document's server that an element of a list stands for."""
        if isinstance(node.value, str) and node.value in self.servers:
            return node.value
        for step in self.steps(node):
            above, _, name = step.pointer.rpartition("/")
            if above == "/servers" and step.source is self.root.node.source:
                return name.replace("~1", "/").replace("~0", "~")
        raise holder.fault(f"{node.reference or node.value!r} is no server of this document")

    def steps(self, node: Node) -> Iterator[Node]:
        """The targets of a chain of references, one after the other."""
        self.root.follow(node)  # raises for references that lead nowhere
        while (reference := node.reference) is not None:
            node = node.target(reference)
            yield node


def answers(message: Message) -> list[Node]:
    """What the extension `x-response` of a message refers to, references not followed."""
    declared = message.part.raw(X_RESPONSE)
    if declared is None:
        return []
    one_of = declared.raw("oneOf") if declared.reference is None else None
    return [declared] if one_of is None else list(one_of.elements())
