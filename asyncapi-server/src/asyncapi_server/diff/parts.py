"""Parts of the documents that are compared: values with their places, references followed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from asyncapi_server.diff.context import Context
from asyncapi_server.diff.spec import Spec
from asyncapi_server.diff.values import Object
from asyncapi_server.document.source import DanglingReference, Node
from asyncapi_server.errors import DocumentError
from asyncapi_server.findings import Finding, Place, Rule
from asyncapi_server.pointer import join

_NONE: Object = {}


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A value of a document. It is never a reference, and neither is what its methods return."""

    node: Node
    spec: Spec
    context: Context
    beside: Object = field(default_factory=dict)
    """The keys beside the references that led here, without annotations."""
    given: Mapping[str, Node] | None = None
    """The members that it has, in place of those of its value."""

    @classmethod
    def at(cls, node: Node, spec: Spec, context: Context) -> Part:
        """The value at a node; raises DocumentError when its reference leads nowhere."""
        context.step()
        passed = {"$ref", *context.annotations}
        beside: dict[str, object] = {}
        try:
            node.follow()  # raises for references in a circle
            while (reference := node.reference) is not None:
                beside.update((key, m.value) for key, m in node.items() if key not in passed)
                node = node.target(reference)
        except DanglingReference as error:
            text = f"{error}: fix the $ref or add its target"
            raise DocumentError([Finding(node.place, text, Rule.REFERENCE)]) from error
        return cls(node, spec, context, beside)

    def __contains__(self, key: str) -> bool:
        return key in self.fields

    @property
    def value(self) -> object:
        """The plain value."""
        return self.node.value

    @property
    def place(self) -> Place:
        """Its file, line and pointer."""
        return self.node.place

    @property
    def name(self) -> str:
        """Its place for people: "#/components/schemas/Size"."""
        return self.spec.name(self.node)

    @property
    def fields(self) -> Object:
        """The plain values of its members; none when it is no object."""
        if self.given is not None:
            return {key: node.value for key, node in self.given.items()}
        return self.value if isinstance(self.value, dict) else _NONE

    def follow(self, node: Node) -> Part:
        """Another value of the same document; raises DocumentError."""
        return Part.at(node, self.spec, self.context)

    def with_members(self, members: Mapping[str, Node]) -> Part:
        """An object in its place, with these members."""
        return replace(self, node=replace(self.node, value={}), given=members)

    def raw(self, key: str) -> Node | None:
        """The member, references not followed, or None."""
        if self.given is not None:
            return self.given.get(key)
        return self.node.raw(key) if isinstance(self.value, dict) else None

    def get(self, key: str) -> Part | None:
        """The member, or None."""
        found = self.raw(key)
        return None if found is None else self.follow(found)

    def members(self, key: str, *, is_extensible: bool = False) -> dict[str, Part]:
        """The members of the object at `key`; none when it is absent.

        Those of one that `is_extensible` are without its extensions. Raises DocumentError for all
        else than an object.
        """
        found = self.get(key)
        if found is None:
            return {}
        if not isinstance(found.value, dict):
            raise found.fault(f"{key!r} has to be an object")
        return {
            name: self.follow(node)
            for name, node in found.node.items()
            if not (is_extensible and name.startswith("x-"))
        }

    def objects(self, key: str) -> dict[str, Part]:
        """The members of the object at `key`, which have to be objects. Raises DocumentError."""
        found = self.members(key)
        for part in found.values():
            if not isinstance(part.value, dict):
                raise part.fault(f"each member of {key!r} has to be an object")
        return found

    def elements(self, key: str) -> list[Part]:
        """The elements of the array at `key`; none when it is absent. Raises DocumentError."""
        return [self.follow(node) for node in self.nodes(key)]

    def nodes(self, key: str) -> list[Node]:
        """The elements of the array at `key`, references not followed. Raises DocumentError."""
        found = self.get(key)
        if found is None:
            return []
        if not isinstance(found.value, list):
            raise found.fault(f"{key!r} has to be an array")
        return list(found.node.elements())

    def literal(self, key: str, default: object = None) -> object:
        """The plain value at `key`."""
        found = self.get(key)
        return default if found is None else found.value

    def fault(self, text: str) -> DocumentError:
        """The error that the document cannot be compared, because of this value."""
        return DocumentError([Finding(self.place, text, Rule.STANDARD)])


def made(node: Node, value: object, *path: str) -> Node:
    """A value that stands for one at a node, or below it."""
    return replace(node, pointer=node.pointer + join(path), value=value)
