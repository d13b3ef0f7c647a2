"""Reading message objects: the parts that 2.x and 3.x have in common."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from asyncapi_server.document.details import cut
from asyncapi_server.document.model import Channel, Example, Identity, Message
from asyncapi_server.document.schemas import bundle, validator
from asyncapi_server.document.source import DanglingReference, Node
from asyncapi_server.errors import Finding

X_RESPONSE = "x-response"
X_SERVERS = "x-servers"

_JSON_SCHEMA_FORMATS = (
    "application/vnd.aai.asyncapi",
    "application/schema+json;version=draft-07",
    "application/schema+yaml;version=draft-07",
)
_PAYLOAD_POINTER = "$message.payload#"


class MessageReader:
    """Reads messages and collects the faults that it finds."""

    def __init__(self, servers: Iterable[str]) -> None:
        self.findings: list[Finding] = []
        self._servers = frozenset(servers)
        self._read: dict[tuple[Identity, str], Message | None] = {}

    def fault(self, node: Node, text: str) -> None:
        finding = Finding(node.place, text)
        if finding not in self.findings:
            self.findings.append(finding)

    def follow(self, node: Node) -> Node | None:
        """Follow a reference; a dangling one is recorded as a fault and returns None."""
        try:
            return node.follow()
        except DanglingReference as error:
            self.fault(node, str(error))
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

    def servers(self, node: Node | None) -> frozenset[str] | None:
        """The servers of a list, by name or by reference; None for a missing or empty list."""
        if node is None or not node.value:
            return None
        names: set[str] = set()
        for element in node.elements():
            if element.reference is not None:
                target = self.follow(element)
                name = target.key if target is not None else None
            else:
                name = element.value if isinstance(element.value, str) else None
            if name is None or name not in self._servers:
                self.fault(element, f"no server of this document: {name or element.value!r}")
            else:
                names.add(name)
        return frozenset(names)

    def _message(self, node: Node, name: str) -> Message | None:
        parts = [node, *self._traits(node)]
        schema = self._schema(node)
        if schema is None:
            return None
        return Message(
            name=name,
            identity=node.identity,
            place=node.place,
            schema=schema,
            examples=self._examples(parts),
            correlation=self._correlation(parts),
            x_response=self._x_response(node),
            servers=self.servers(node.raw(X_SERVERS)),
        )

    def _traits(self, node: Node) -> list[Node]:
        traits = node.raw("traits")
        found = [self.follow(trait) for trait in traits.elements()] if traits else []
        return [trait for trait in found if trait is not None]

    def _schema(self, node: Node) -> dict[str, object] | None:
        payload = node.raw("payload")
        if payload is None:
            self.fault(node, "the message has no payload schema")
            return None
        schema_format = node.text("schemaFormat")
        try:
            target = payload.follow()
            if isinstance(target.value, dict) and {"schemaFormat", "schema"} <= set(target.value):
                schema_format = target.text("schemaFormat")
                payload = target.raw("schema") or payload
            if schema_format and not _is_json_schema(schema_format):
                self.fault(node, f"payloads of the format {schema_format!r} cannot be validated")
                return None
            schema = bundle(payload)
            validator(schema)
        except (DanglingReference, ValueError) as error:
            self.fault(payload, cut(str(error)))
            return None
        return schema

    def _examples(self, parts: list[Node]) -> tuple[Example, ...]:
        found: list[Example] = []
        for examples in (part.raw("examples") for part in parts):
            for element in examples.elements() if examples else ():
                example = self.follow(element)
                payload = example.raw("payload") if example else None
                if example is not None and payload is not None:
                    found.append(Example(payload.value, payload.place, example.text("name")))
        return tuple(found)

    def _correlation(self, parts: list[Node]) -> str | None:
        for part in parts:
            declared = part.raw("correlationId")
            target = self.follow(declared) if declared else None
            if target is None:
                continue
            location = target.text("location") or ""
            if location.startswith(_PAYLOAD_POINTER):
                pointer = location.removeprefix(_PAYLOAD_POINTER)
                if pointer.startswith("/"):
                    return pointer
            self.fault(
                target,
                f"a WebSocket message has no correlation id at {location!r}: "
                f"write {_PAYLOAD_POINTER}/<pointer>",
            )
        return None

    def _x_response(self, node: Node) -> tuple[Identity, ...] | None:
        declared = node.raw(X_RESPONSE)
        if declared is None:
            return None
        one_of = declared.raw("oneOf") if declared.reference is None else None
        alternatives = list(one_of.elements()) if one_of else [declared]
        targets = [self.follow(alternative) for alternative in alternatives]
        return tuple(dict.fromkeys(t.identity for t in targets if t is not None))


def _is_json_schema(schema_format: str) -> bool:
    return schema_format.replace(" ", "").startswith(_JSON_SCHEMA_FORMATS)


def merged(address: str, channels: list[Channel]) -> Channel:
    """Merge the channel objects of one address: each message once, admitted by any of them."""
    return Channel(
        address,
        channels[0].place,
        _merged_messages(message for channel in channels for message in channel.receives),
        _merged_messages(message for channel in channels for message in channel.sends),
    )


def _merged_messages(messages: Iterable[Message]) -> tuple[Message, ...]:
    result: dict[tuple[str, Identity], Message] = {}
    for message in messages:
        key = (message.name, message.identity)
        known = result.get(key)
        result[key] = message if known is None else _union(known, message)
    return tuple(result.values())


def _union(one: Message, two: Message) -> Message:
    servers = None
    if one.servers is not None and two.servers is not None:
        servers = one.servers | two.servers
    reply = None
    if one.reply is not None or two.reply is not None:
        reply = tuple(dict.fromkeys((*(one.reply or ()), *(two.reply or ()))))
    return replace(one, servers=servers, reply=reply)


def narrowed(message: Message, servers: frozenset[str] | None) -> Message:
    """The message, admitted only by servers of its channel."""
    if servers is None:
        return message
    own = servers if message.servers is None else servers & message.servers
    return replace(message, servers=own)
