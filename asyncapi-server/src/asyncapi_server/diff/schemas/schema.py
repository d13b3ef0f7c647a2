"""A JSON Schema, seen through its references."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from asyncapi_server.diff.changes import Side
from asyncapi_server.diff.context import Context
from asyncapi_server.diff.parts import Part, made
from asyncapi_server.diff.schemas.vocabulary import DYNAMIC, WORDS, Keywords, keywords
from asyncapi_server.diff.spec import Spec
from asyncapi_server.diff.values import Object
from asyncapi_server.document.dialects import Dialect
from asyncapi_server.document.source import DanglingReference, Node
from asyncapi_server.errors import DocumentError
from asyncapi_server.findings import Finding, Rule

Key = tuple[str, int, Dialect, Side | None, frozenset[str] | None]


class Schema:
    """A schema or a part of one, in the keywords of draft 2020-12.

    What stands beside a reference counts as draft 2020-12 has it in that dialect, and in others as
    facts that no validator checks.
    """

    def __init__(
        self,
        node: Node,
        dialect: Dialect,
        spec: Spec,
        context: Context,
        writer: Side | None = None,
        given: Keywords | None = None,
    ) -> None:
        """`writer` is who writes the values, where that matters; `given` replaces the keywords."""
        self.node = node
        self.dialect = dialect
        self.spec = spec
        self.context = context
        self.writer = writer
        self.beside: Object = {}
        """The facts beside the references that led to `end`."""
        self.overlay: dict[str, Node] = {}
        """The keywords beside them that validation ignores."""
        self._words = WORDS | context.terms.ignored
        self._given = given
        self.end = node if given else self._end()
        """The schema at the end of its references."""
        if not isinstance(self.end.value, dict | bool):
            raise _fault(self.end, "a schema has to be an object or a boolean")

    @classmethod
    def of(cls, holder: Part, key: str, dialect: Dialect | None = None) -> Schema:
        """The schema under a key of an object; without one it accepts every value."""
        node = holder.raw(key) or made(holder.node, {}, key)
        return cls(node, dialect or holder.spec.dialect, holder.spec, holder.context)

    def written_by(self, writer: Side) -> Schema:
        """The same schema, for values that somebody writes."""
        return self._at(self.node, writer)

    @property
    def is_bool(self) -> bool:
        """Whether it accepts all values, or none, and says nothing else."""
        return self._given is None and isinstance(self.end.value, bool)

    @property
    def is_reference(self) -> bool:
        """Whether it is nothing but a reference, apart from what validation ignores."""
        return self.end is not self.node

    @property
    def target(self) -> Schema:
        """The schema at the end of its references, without what stands beside them."""
        return self._at(self.end) if self.is_reference else self

    @property
    def is_dynamic(self) -> bool:
        """Whether it has a reference that is not followed, so that its values are not known."""
        return not DYNAMIC.isdisjoint(self.keywords.others)

    @cached_property
    def key(self) -> Key:
        """Identifies the schema at the end of its references; the same for the same value."""
        cut = None if self._given is None else frozenset(self._given.asserted)
        return self.end.source.identity, id(self.end.value), self.dialect, self.writer, cut

    @cached_property
    def keywords(self) -> Keywords:
        """Its keywords, references followed."""
        if self._given is not None:
            return self._given
        if isinstance(self.end.value, bool):
            refused = {} if self.end.value else {"not": made(self.end, True, "not")}
            return Keywords(refused, {})
        found = keywords(self.end, self.dialect, self._words)
        others = {**found.others, **self.overlay}
        if self.end.reference is not None:  # it has assertions beside it
            return Keywords({**found.asserted, "allOf": self.end}, others)
        return Keywords(self._without_hidden(found.asserted), others)

    @property
    def asserted(self) -> Object:
        """The values of the keywords that validation checks."""
        return {keyword: node.value for keyword, node in self.keywords.asserted.items()}

    @property
    def others(self) -> Object:
        """The values of the keywords that it ignores."""
        return {keyword: node.value for keyword, node in self.keywords.others.items()}

    def only(self, names: Iterable[str]) -> Schema:
        """The schema with some of the keywords that validation checks, and no others."""
        asserted = self.keywords.asserted
        chosen = {name: asserted[name] for name in names if name in asserted}
        return self._at(self.end, self.writer, Keywords(chosen, {}))

    def like(self, value: Object) -> Schema:
        """Another schema, of the same dialect."""
        return self._at(made(self.end, value))

    def one(self, keyword: str) -> Schema:
        """The schema under a keyword; without one it accepts every value."""
        return self._at(self.keywords.asserted.get(keyword) or made(self.end, True, keyword))

    def listed(self, keyword: str) -> list[Schema]:
        """The schemas in the list under a keyword."""
        node = self.keywords.asserted.get(keyword)
        if node is None:
            return []
        if node is self.end:  # its reference counts as one more
            target = made(node, {"$ref": node.reference}, "$ref")
            rest = node.raw(keyword)
            return [self._at(target), *(self._elements(rest, keyword) if rest else ())]
        return self._elements(node, keyword)

    def named(self, keyword: str) -> dict[str, Schema]:
        """The schemas by name under a keyword."""
        node = self.keywords.asserted.get(keyword)
        if node is None:
            return {}
        if not isinstance(node.value, dict):
            raise _fault(node, f"{keyword!r} has to be an object of schemas")
        return {name: self._at(each) for name, each in node.items()}

    def _at(self, node: Node, writer: Side | None = None, given: Keywords | None = None) -> Schema:
        return Schema(node, self.dialect, self.spec, self.context, writer or self.writer, given)

    def _elements(self, node: Node, keyword: str) -> list[Schema]:
        if not isinstance(node.value, list):
            raise _fault(node, f"{keyword!r} has to be an array of schemas")
        return [self._at(element) for element in node.elements()]

    def _end(self) -> Node:
        node = self.node
        self.context.step()
        try:
            node.follow()  # raises for references in a circle
            while (reference := node.reference) is not None:
                found = keywords(node, self.dialect, self._words)
                if self.dialect is Dialect.DRAFT_2020:
                    if found.asserted:
                        break
                    self.overlay = {**found.others, **self.overlay}
                else:
                    both = {**found.asserted, **found.others}
                    self.beside = {**self.beside, **{k: n.value for k, n in both.items()}}
                node = node.target(reference)
        except DanglingReference as error:
            text = f"{error}: fix the $ref or add its target"
            raise DocumentError([Finding(node.place, text, Rule.REFERENCE)]) from error
        return node

    def _without_hidden(self, asserted: dict[str, Node]) -> dict[str, Node]:
        """The keywords without demands for properties that the writer of a value may omit.

        In OpenAPI 3.0 a property that is `readOnly` is required of servers only, one that is
        `writeOnly` of clients only.
        """
        required = asserted.get("required")
        if (
            self.dialect is not Dialect.OPENAPI_3_0
            or self.writer is None
            or required is None
            or not isinstance(required.value, list)
        ):
            return asserted
        mark = "readOnly" if self.writer is Side.SENDERS else "writeOnly"
        properties = asserted.get("properties")
        hidden = {
            name
            for name, node in (properties.items() if properties is not None else ())
            if self._at(node).others.get(mark) is True
        }
        left = [name for name in required.value if name not in hidden]
        kept = {keyword: node for keyword, node in asserted.items() if keyword != "required"}
        return {**kept, "required": made(required, left)} if left or not required.value else kept


def _fault(node: Node, text: str) -> DocumentError:
    return DocumentError([Finding(node.place, text, Rule.SCHEMA)])
