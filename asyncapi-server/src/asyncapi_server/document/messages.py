"""Reading message objects: the parts that 2.x and 3.x have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from asyncapi_server.document.details import cut
from asyncapi_server.document.dialects import dialect_of
from asyncapi_server.document.model import Channel, Example, Identity, Message
from asyncapi_server.document.schemas import ANY, bundle
from asyncapi_server.document.source import MAX_REFERENCE_CHAIN, DanglingReference, Node
from asyncapi_server.document.traits import Traited, traited
from asyncapi_server.findings import Finding, Rule
from asyncapi_server.validation import CannotValidate, validator

X_RESPONSE = "x-response"
X_SERVERS = "x-servers"

MAX_PARTS = 100_000
"""Schemas that are read for the messages of a document: more take many seconds."""
_PAYLOAD_POINTER = "$message.payload#"


class MessageReader:
    """Reads messages and collects the faults that it finds."""

    def __init__(self, root: Node, *, traits_win: bool) -> None:
        """`traits_win` says whether traits override what a message has."""
        self._traits_win = traits_win
        self._content_type = root.text("defaultContentType") or "application/json"
        self._root = root
        self._findings: dict[Finding, None] = {}
        self._servers = frozenset(name for name, _ in root.items_of("servers"))
        self._parts = 0
        self._read: dict[tuple[Identity, str], Message | None] = {}

    def fault(self, node: Node, text: str, rule: Rule) -> None:
        """Record a fault, once."""
        self._findings.setdefault(Finding(node.place, text, rule))

    @property
    def root(self) -> Node:
        """The document."""
        return self._root

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The faults so far."""
        return tuple(self._findings)

    def follow(self, node: Node) -> Node | None:
        """Follow a reference; a dangling one is recorded as a fault and returns None."""
        try:
            return node.follow()
        except DanglingReference as error:
            self.fault(node, str(error), Rule.REFERENCE)
            return None

    def message(self, node: Node, name: str) -> Message | None:
        """The message at `node`, known as `name`; None when it cannot be served."""
        target = self.follow(node)
        if target is None:
            return None
        key = (target.identity, name)
        if key not in self._read:
            self._read[key] = self._message(target, name)
        return self._read[key]

    def others(self, channels: Iterable[Channel]) -> Iterator[Message]:
        """The messages among the components that are not in these channels."""
        used = {m.identity for channel in channels for m in (*channel.receives, *channel.sends)}
        for name, node in self._root.items_of("components", "messages"):
            message = self.message(node, name)
            if message is not None and message.identity not in used:
                yield message

    def schema(self, node: Node) -> dict[str, object] | None:
        """A schema by itself; None when it is faulty, which is recorded."""
        try:
            schema = bundle(node).schema
            validator(schema)
        except (DanglingReference, ValueError) as error:
            self.fault(node, cut(str(error)), _rule(error))
            return None
        return schema

    def servers(self, node: Node | None) -> frozenset[str] | None:
        """The servers of a list, by name or by reference; None for a missing or empty list."""
        if node is None or not node.value:
            return None
        names: set[str] = set()
        for element in node.elements():
            name = element.value if isinstance(element.value, str) else self._server(element)
            if name is None or name not in self._servers:
                text = f"no server of this document: {element.reference or element.value!r}"
                self.fault(element, text, Rule.SERVER)
            else:
                names.add(name)
        return frozenset(names)

    def _server(self, element: Node) -> str | None:
        """The name of the document's server that a reference leads to, maybe by way of others."""
        node = element
        try:
            while node.reference is not None:
                node = node.target(node.reference)
                above = node.pointer.rpartition("/")[0]
                if above == "/servers" and node.source is self._root.source:
                    return node.key
        except DanglingReference as error:
            self.fault(element, str(error), Rule.REFERENCE)
        return None

    def traited(self, node: Node) -> Traited:
        """An object with its traits."""
        return traited(node, self.follow, traits_win=self._traits_win)

    def _message(self, node: Node, name: str) -> Message | None:
        message = self.traited(node)
        content_type = message.text("contentType") or self._content_type
        if not _is_json(content_type):
            text = f"{name!r} is {content_type}: only messages in JSON are served"
            self.fault(node, text, Rule.CONTENT)
            return None
        try:
            schema, annotated = self._schemas(message, name) or (ANY, ANY)
        except (DanglingReference, ValueError) as error:
            self.fault(message.raw("payload") or node, f"{name!r}: {cut(str(error))}", _rule(error))
            return None
        headers = message.raw("headers")
        return Message(
            name=name,
            identity=node.identity,
            place=node.place,
            schema=schema,
            annotated=annotated,
            examples=self._examples(message.raw("examples"), "payload"),
            headers=None if headers is None else self.schema(headers),
            header_examples=self._examples(message.raw("examples"), "headers"),
            correlation=self._correlation(message.raw("correlationId")),
            x_response=self._x_response(message.raw(X_RESPONSE)),
            servers=self.servers(message.raw(X_SERVERS)),
            is_read=schema is not ANY,
        )

    def _schemas(
        self, message: Traited, name: str
    ) -> tuple[dict[str, object], dict[str, object]] | None:
        """The schema of a message's payload, bare and annotated; None when none can be read.

        Raises DanglingReference, and ValueError when it is not valid.
        """
        payload = message.raw("payload")
        if payload is None:
            return None
        schema_format = message.text("schemaFormat")
        for _ in range(MAX_REFERENCE_CHAIN):  # a schema with its format may hold another one
            target = payload.follow()
            schema = target.raw("schema")
            if schema is None or target.raw("schemaFormat") is None:
                break
            schema_format, payload = target.text("schemaFormat"), schema
        dialect = dialect_of(schema_format)
        if dialect is None:
            text = f"any payload of {name!r} is taken: {schema_format!r} cannot be validated"
            self.fault(message.node, text, Rule.FORMAT)
            return None
        if self._parts > MAX_PARTS:
            raise CannotValidate(
                f"the messages before it have more than {MAX_PARTS} schemas already"
            )
        bare, lost, parts = bundle(payload, dialect)
        self._parts += parts
        for part, keyword in lost:
            self.fault(part, f"{name!r} is validated without {keyword!r}", Rule.FORMAT)
        validator(bare)
        return bare, bundle(payload, dialect, annotated=True).schema

    def _examples(self, examples: Node | None, part: str) -> tuple[Example, ...]:
        """The examples of a part of a message, `payload` or `headers`."""
        found: list[Example] = []
        for element in examples.elements() if examples is not None else ():
            example = self.follow(element)
            value = example.raw(part) if example is not None else None
            if example is not None and value is not None:
                found.append(Example(value.value, value.place, example.text("name")))
        return tuple(found)

    def _correlation(self, declared: Node | None) -> str | None:
        """The pointer of the correlation id in the payload: a WebSocket message has no header."""
        target = self.follow(declared) if declared is not None else None
        location = target.text("location") if target is not None else None
        if location is None or not location.startswith(_PAYLOAD_POINTER):
            return None
        return location.removeprefix(_PAYLOAD_POINTER) or None

    def _x_response(self, declared: Node | None) -> tuple[Identity, ...] | None:
        if declared is None:
            return None
        one_of = declared.raw("oneOf") if declared.reference is None else None
        alternatives = list(one_of.elements()) if one_of else [declared]
        targets = [self.follow(each) for each in alternatives if each.reference is not None]
        return tuple(dict.fromkeys(t.identity for t in targets if t is not None))


def _rule(error: DanglingReference | ValueError) -> Rule:
    """The rule that a schema breaks."""
    if isinstance(error, DanglingReference):
        return Rule.REFERENCE
    return Rule.FORMAT if isinstance(error, CannotValidate) else Rule.SCHEMA


def _is_json(content_type: str) -> bool:
    plain = content_type.partition(";")[0].strip().lower()
    return plain.endswith(("/json", "+json"))
