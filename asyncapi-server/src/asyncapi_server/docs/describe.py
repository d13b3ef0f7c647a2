"""Descriptions for readers: each part of a document with its texts, tables and examples."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from asyncapi_server import pointer as jsonpointer
from asyncapi_server.docs import wording
from asyncapi_server.docs.description import (
    About,
    ChannelDescription,
    Description,
    MessageDescription,
    OperationDescription,
    Sample,
    ServerDescription,
    Variable,
)
from asyncapi_server.docs.jsonlines import shown
from asyncapi_server.docs.lines import Line
from asyncapi_server.docs.operations import operations
from asyncapi_server.docs.schema import rows, summary
from asyncapi_server.docs.security import security
from asyncapi_server.docs.texts import about, below, elements, followed, members, whole
from asyncapi_server.document.loader import read_document
from asyncapi_server.document.model import Channel, Document, Example, Identity, Message
from asyncapi_server.document.samples import sample
from asyncapi_server.document.source import Library, Node
from asyncapi_server.document.traits import Traited

MAX_MADE = 200
"""Messages of a document for which an example is made, which takes milliseconds each."""
MAX_SOURCE_CHARS = 20_000
"""Longest schema of another format that is shown."""


def describe(
    path: Path | str, *, as_client: bool = False, within: Path | None = None
) -> Description:
    """Describe a document, faulty or not; raises DocumentError when it cannot be read at all.

    `as_client` and `within` are those of `load_document`.
    """
    library = Library(within)
    root = library.open(Path(path))
    document = read_document(root, as_client=as_client)
    return Describer(root, document, as_client=as_client).whole()


class Describer:
    """A document and the nodes that it was read from."""

    def __init__(self, root: Node, document: Document, *, as_client: bool) -> None:
        self._root = root
        self._document = document
        self._everywhere = frozenset(document.servers)
        self._operations = operations(root, as_client=as_client)
        self._is_3 = document.asyncapi >= "3"
        self._channels: dict[str | None, list[Node]] = defaultdict(list)
        """The channel objects by address."""
        for key, node in members(root, "channels"):
            self._channels[node.text("address") if self._is_3 else key].append(node)
        self._left = MAX_MADE

    def whole(self) -> Description:
        """The whole document."""
        info = below(self._root, "info") or self._root
        return Description(
            title=self._document.title,
            version=self._document.version,
            asyncapi=self._document.asyncapi,
            about=about(whole(info)),
            facts=tuple(_facts(self._root, info)),
            servers=tuple(self._servers()),
            channels=tuple(map(self._channel, self._document.channels.values())),
            findings=self._document.findings,
        )

    def _servers(self) -> Iterator[ServerDescription]:
        for name, node in members(self._root, "servers"):
            protocol = node.text("protocol") or ""
            url = node.text("url")
            if url is None:
                url = f"{node.text('host') or ''}{node.text('pathname') or ''}"
            if "://" not in url:
                url = f"{protocol}://{url}"
            yield ServerDescription(
                name=name,
                url=url,
                protocol=protocol,
                version=node.text("protocolVersion") or "",
                about=about(whole(node)),
                variables=tuple(_variables(node, "variables")),
                security=security(self._root, node.raw("security")),
            )

    def _channel(self, channel: Channel) -> ChannelDescription:
        nodes = self._channels[channel.address]
        listed = [each for node in nodes for each in self._operations[node.identity]]
        receiving, sending = _by_message(listed, True), _by_message(listed, False)
        names = {message.identity: message.name for message in channel.sends}
        asked: dict[Identity, list[str]] = defaultdict(list)
        for message in channel.receives:
            for identity in message.responses:
                asked[identity].append(message.name)
        servers = [self._admitting(node) for node in nodes]
        return ChannelDescription(
            address=channel.address,
            about=_joined([about(whole(node)) for node in nodes]),
            servers=None if None in servers else tuple(n for s in servers if s for n in s),
            parameters=tuple(each for node in nodes for each in _variables(node, "parameters")),
            query=_binding(nodes, "query"),
            headers=_binding(nodes, "headers"),
            operations=tuple(listed),
            receives=tuple(
                self._message(message, receiving[message.identity], names, {})
                for message in channel.receives
            ),
            sends=tuple(
                self._message(message, sending[message.identity], {}, asked)
                for message in channel.sends
            ),
        )

    def _admitting(self, channel: Node) -> tuple[str, ...] | None:
        """The names of the servers that a channel is restricted to; None: all have it."""
        found = below(channel, "servers")
        if found is None or not found.value:
            return None
        names = {node.identity: name for name, node in members(self._root, "servers")}
        listed = [each.value if isinstance(each.value, str) else names.get(each.identity)
                  for each in elements(found)]  # fmt: skip
        found_names = tuple(name for name in self._document.servers if name in listed)
        return None if len(found_names) == len(self._everywhere) else found_names

    def _message(
        self,
        message: Message,
        own: Sequence[OperationDescription],
        names: Mapping[Identity, str],
        asked: Mapping[Identity, list[str]],
    ) -> MessageDescription:
        part = whole(self._node(message.place.file, message.place.pointer))
        payload = followed(part.raw("payload"))
        form = part.text("schemaFormat")
        if payload is not None and payload.raw("schema") is not None:
            form, payload = payload.text("schemaFormat"), below(payload, "schema")
        asked_by = tuple(asked.get(message.identity, ()))
        headers = part.raw("headers")
        is_other = payload is not None and not message.is_read
        return MessageDescription(
            name=message.name,
            identity=message.identity,
            about=about(part),
            rows=tuple(rows(payload)) if payload is not None and not is_other else (),
            headers=tuple(rows(headers)) if headers is not None else (),
            examples=tuple(self._samples(message)),
            answers=tuple(names[identity] for identity in message.responses if identity in names),
            asked_by=asked_by,
            unasked=not asked_by or bool(own and self._is_3),
            correlation=message.correlation,
            servers=self._servers_of(message),
            operations=tuple(own),
            content_type=_other_than_json(part.text("contentType")),
            format=(form or "") if is_other else "",
            source=_source(payload) if payload is not None and is_other else "",
            schema=message.schema,
            deprecated=_is_deprecated(part, payload),
        )

    def _servers_of(self, message: Message) -> tuple[str, ...] | None:
        if message.servers is None or message.servers == self._everywhere:
            return None
        return tuple(name for name in self._document.servers if name in message.servers)

    def _samples(self, message: Message) -> Iterator[Sample]:
        for example in message.examples:
            yield self._sample(example)
        if not message.examples and message.is_read and self._left > 0:
            self._left -= 1
            with suppress(ValueError):  # its annotations are no part of what was validated
                made = sample(message.annotated)
                if made is not jsonpointer.MISSING:
                    yield Sample("", shown(made), made=True)

    def _sample(self, example: Example) -> Sample:
        file, pointer = example.place.file, example.place.pointer
        above = self._node(file, pointer.rpartition("/")[0])
        title = above.text("summary") or above.text("name") or ""
        return Sample(title, shown(example.payload))

    def _node(self, file: str, pointer: str) -> Node:
        root = self._root.library.open(Path(file))
        return root.raw(*jsonpointer.tokens(pointer)) or root


def _by_message(
    listed: Sequence[OperationDescription], receives: bool
) -> Mapping[Identity, list[OperationDescription]]:
    """The operations of one direction by the messages that they list."""
    found: dict[Identity, list[OperationDescription]] = defaultdict(list)
    for each in listed:
        if each.receives == receives:
            for identity in each.messages:
                found[identity].append(each)
    return found


def _facts(root: Node, info: Node) -> Iterator[tuple[str, str]]:
    """Licence, contact, terms and documentation elsewhere, each with its name, as Markdown."""
    licence, contact = below(info, "license"), below(info, "contact")
    if licence is not None and (name := licence.text("name")):
        yield "Licence", wording.link(name, licence.text("url") or "")
    if contact is not None:
        email = contact.text("email")
        url = contact.text("url") or (f"mailto:{email}" if email else "")
        if name := contact.text("name") or email or url:
            yield "Contact", wording.link(name, url)
    if terms := info.text("termsOfService"):
        yield "Terms", wording.link(terms, terms)
    for node in (root, info):
        docs = below(node, "externalDocs")
        if docs is not None and (elsewhere := docs.text("url")):
            yield "More", wording.link(docs.text("description") or elsewhere, elsewhere)


def _joined(parts: Sequence[About]) -> About:
    """The texts of the channel objects of one address."""
    descriptions = dict.fromkeys(part.description for part in parts if part.description)
    return About(
        title=next((part.title for part in parts if part.title), ""),
        summary=next((part.summary for part in parts if part.summary), ""),
        description="\n\n".join(descriptions),
        tags=tuple(dict.fromkeys(tag for part in parts for tag in part.tags)),
        link=next((part.link for part in parts if part.link), None),
    )


def _variables(node: Node, kind: str) -> Iterator[Variable]:
    """The parameters of an address; those of 2.x have a schema, all others are texts."""
    for name, parameter in members(node, kind):
        schema = parameter.raw("schema")
        row = summary(schema if schema is not None else parameter)
        row = replace(
            row,
            path=name,
            anchor=name,
            type="string" if schema is None else row.type,
            description=parameter.text("description") or row.description,
        )
        yield Variable(name, row, parameter.text("location") or "")


def _binding(channels: Sequence[Node], part: str) -> tuple[Line, ...]:
    """The table of a part of the request that opens a connection."""
    for channel in channels:
        for name in ("ws", "websockets"):
            schema = below(channel, "bindings", name, part)
            if schema is not None:
                return tuple(rows(schema))
    return ()


def _other_than_json(content_type: str | None) -> str:
    return "" if content_type in (None, "application/json") else content_type or ""


def _source(payload: Node) -> str:
    text = json.dumps(payload.value, ensure_ascii=False, indent=2)
    return text if len(text) <= MAX_SOURCE_CHARS else f"{text[:MAX_SOURCE_CHARS]}…"


def _is_deprecated(message: Traited, payload: Node | None) -> bool:
    flags = (message.raw("deprecated"), payload.raw("deprecated") if payload is not None else None)
    return any(flag is not None and flag.value is True for flag in flags)
