"""Rules of the standard's text that no meta-schema holds."""

from __future__ import annotations

import re
from collections.abc import Iterator

from asyncapi_server.document.source import DanglingReference, Node
from asyncapi_server.findings import Finding, Rule
from asyncapi_server.jsontext import json_type

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_COMPONENT = re.compile(r"[A-Za-z0-9._-]+")
_SERVER = re.compile(r"[A-Za-z0-9_-]+")
_SCOPED = frozenset({"oauth2", "openIdConnect"})
"""Types of security schemes that have scopes."""
_SCHEMA_MAPS = frozenset({"definitions", "patternProperties", "properties"})
_SCHEMA_LISTS = frozenset({"allOf", "anyOf", "oneOf"})
_SCHEMA_ONES = frozenset({"additionalItems", "additionalProperties", "contains", "else", "if",
                          "items", "not", "propertyNames", "then"})  # fmt: skip


def broken_rules(root: Node) -> Iterator[Finding]:
    """Each of these rules that a document breaks."""
    version = root.text("asyncapi") or ""
    yield from _keys(root, version)
    yield from _contacts(root)
    yield from _addresses(root, version)
    if version < "3":
        yield from _unique(root)
        yield from _security(root)
    else:
        yield from _channel_references(root)
        yield from _reply_addresses(root)


def broken_in_schema(schema: Node) -> Iterator[Finding]:
    """Defaults of another type than their schema's, and discriminators that need not be there."""
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if not isinstance(node.value, dict) or node.reference is not None:
            continue
        waiting += _below(node)
        default, kind = node.raw("default"), node.text("type")
        if default is not None and kind is not None and not _is_of(default.value, kind):
            text = f"the default is no {kind}, as its schema demands"
            yield Finding(default.place, text, Rule.SCHEMA)
        name = node.text("discriminator")
        if name is not None:
            required = node.value.get("required")
            if node.raw("properties", name) is None or name not in (required or ()):
                text = f"the discriminator {name!r} has to be a property, and required"
                yield Finding(node.place, text, Rule.SCHEMA)


def _below(node: Node) -> Iterator[Node]:
    for keyword, member in node.items():
        if keyword in _SCHEMA_MAPS:
            yield from (each for _, each in member.items())
        elif keyword in _SCHEMA_LISTS or (keyword == "items" and isinstance(member.value, list)):
            yield from member.elements()
        elif keyword in _SCHEMA_ONES:
            yield member


def _is_of(value: object, kind: str) -> bool:
    if kind == "integer":
        is_whole = isinstance(value, float) and value.is_integer()
        return is_whole or (isinstance(value, int) and not isinstance(value, bool))
    return json_type(value) == kind


def _keys(root: Node, version: str) -> Iterator[Finding]:
    for kind, components in root.items_of("components"):
        for name, node in components.items() if not kind.startswith("x-") else ():
            if not _COMPONENT.fullmatch(name):
                text = f"the key {name!r} of components.{kind} has more than A-Z a-z 0-9 . - _"
                yield Finding(node.place, text, Rule.STANDARD)
    for name, node in root.items_of("servers") if version < "3" else ():
        if not _SERVER.fullmatch(name):
            text = f"the server {name!r} has more than A-Z a-z 0-9 _ - in its name"
            yield Finding(node.place, text, Rule.STANDARD)


def _contacts(root: Node) -> Iterator[Finding]:
    urls = [("info", "termsOfService"), ("info", "contact", "url"), ("info", "license", "url"),
            ("externalDocs", "url"), ("info", "externalDocs", "url")]  # fmt: skip
    for pattern, what, paths in (
        (_URL, "URL", urls),
        (_EMAIL, "e-mail address", [("info", "contact", "email")]),
    ):
        for path in paths:
            node = root.raw(*path)
            if node is not None and not pattern.fullmatch(str(node.value)):
                yield Finding(node.place, f"{node.value!r} is no {what}", Rule.STANDARD)


def _addresses(root: Node, version: str) -> Iterator[Finding]:
    for key, channel in _followed(root, "channels"):
        address = key if version < "3" else channel.text("address")
        if address is not None and re.search(r"[?#]", re.sub(r"\{[^{}]*\}", "", address)):
            text = f"the address {address!r} has a query or a fragment: put it into bindings"
            yield Finding(channel.place, text, Rule.STANDARD)


def _unique(root: Node) -> Iterator[Finding]:
    operations = list(_operations(root))
    ids = [each.raw("operationId") for each in operations]
    yield from _repeated("operationId", [each for each in ids if each is not None])
    messages: dict[tuple[str, str], Node] = {}
    for operation in operations:
        for message in _messages(operation):
            messages[message.identity] = message
    for _, message in _followed(root, "components", "messages"):
        messages[message.identity] = message
    named = [message.raw("messageId") for message in messages.values()]
    yield from _repeated("messageId", [each for each in named if each is not None])
    tags = root.raw("tags")
    names = [tag.raw("name") for tag in tags.elements()] if tags is not None else []
    yield from _repeated("tag", [each for each in names if each is not None])


def _repeated(what: str, nodes: list[Node]) -> Iterator[Finding]:
    seen: dict[object, Node] = {}
    for node in nodes:
        if not isinstance(node.value, str):
            continue
        first = seen.setdefault(node.value, node)
        if first is not node:
            text = f"the {what} {node.value!r} is that of {first.place} too"
            yield Finding(node.place, text, Rule.UNIQUE)


def _security(root: Node) -> Iterator[Finding]:
    schemes = dict(_followed(root, "components", "securitySchemes"))
    holders = [*(server for _, server in _followed(root, "servers")), *_operations(root)]
    for holder in holders:
        security = holder.raw("security")
        for requirement in security.elements() if security is not None else ():
            for name, scopes in requirement.items():
                if name not in schemes:
                    text = f"{name!r} is no security scheme of the components"
                    yield Finding(scopes.place, text, Rule.SECURITY)
                elif scopes.value and schemes[name].text("type") not in _SCOPED:
                    text = f"the scheme {name!r} has no scopes: leave the array empty"
                    yield Finding(scopes.place, text, Rule.SECURITY)


def _channel_references(root: Node) -> Iterator[Finding]:
    """Operations of the document that name no channel of it, and channels that name no server."""
    file = root.identity[0]
    for _, operation in _followed(root, "operations"):
        reply = _follow(operation.raw("reply"))
        for holder in (operation, reply):
            channel = holder.raw("channel") if holder is not None else None
            yield from _outside(channel, file, "/channels", Rule.OPERATION)
    for _, channel in _followed(root, "channels"):
        servers = channel.raw("servers")
        for server in servers.elements() if servers is not None else ():
            yield from _outside(server, file, "/servers", Rule.SERVER)


def _outside(node: Node | None, file: str, kind: str, rule: Rule) -> Iterator[Finding]:
    if node is None or node.reference is None:
        return
    try:
        where, pointer = node.target(node.reference).identity
    except DanglingReference:
        return  # reported apart
    if where == file and pointer.startswith(f"/components{kind}/"):
        text = f"{node.reference!r} leads into the components: refer to #{kind} instead"
        yield Finding(node.place, text, rule)


def _reply_addresses(root: Node) -> Iterator[Finding]:
    for _, operation in _followed(root, "operations"):
        reply = _follow(operation.raw("reply"))
        channel = _follow(reply.raw("channel")) if reply is not None else None
        if reply is None or reply.raw("address") is None or channel is None:
            continue
        if channel.text("address") is not None:
            text = (
                "the reply has an address of its own, and its channel has one too: leave out one of"
                " them"
            )
            yield Finding(reply.place, text, Rule.OPERATION)


def _operations(root: Node) -> Iterator[Node]:
    """The operations of 2.x."""
    for _, channel in _followed(root, "channels"):
        for name in ("publish", "subscribe"):
            operation = channel.raw(name)
            if operation is not None:
                yield operation


def _messages(operation: Node) -> Iterator[Node]:
    """The messages of an operation of 2.x, references followed."""
    declared = operation.raw("message")
    one_of = declared.raw("oneOf") if declared is not None else None
    for each in one_of.elements() if one_of is not None else (declared,):
        message = _follow(each)
        if message is not None:
            yield message


def _followed(root: Node, *path: str) -> Iterator[tuple[str, Node]]:
    for name, node in root.items_of(*path):
        target = _follow(node)
        if target is not None:
            yield name, target


def _follow(node: Node | None) -> Node | None:
    """The end of a chain of references; None when there is none, which is reported apart."""
    try:
        return None if node is None else node.follow()
    except DanglingReference:
        return None
