"""Descriptions for readers: each message with its texts, rows, examples and answers."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from asyncapi_server import pointer as jsonpointer
from asyncapi_server.docs.schema import Row, rows
from asyncapi_server.document.loader import read_document
from asyncapi_server.document.model import Channel, Document, Example, Identity, Message, Server
from asyncapi_server.document.source import DanglingReference, Library, Node


@dataclass(frozen=True, slots=True)
class Sample:
    """An example as shown to readers."""

    title: str
    json: str


@dataclass(frozen=True, slots=True)
class MessageDescription:
    """One message in one direction. Descriptions are Markdown."""

    name: str
    title: str
    summary: str
    descriptions: tuple[str, ...]
    """Those of the message and of each operation that uses it."""
    rows: tuple[Row, ...]
    examples: tuple[Sample, ...]
    answers: tuple[str, ...]
    """The names of the messages that may answer it."""
    asked_by: tuple[str, ...]
    """The names of the requests that it may answer."""
    unasked: bool
    """Whether the server also sends it without a request."""
    correlation: str | None
    """JSON pointer of the correlation id."""
    servers: tuple[str, ...]
    """The names of the servers that admit it; () means all."""


@dataclass(frozen=True, slots=True)
class ChannelDescription:
    """An address with the messages of both directions."""

    address: str
    receives: tuple[MessageDescription, ...]
    sends: tuple[MessageDescription, ...]


@dataclass(frozen=True, slots=True)
class Description:
    """A whole document."""

    title: str
    version: str
    asyncapi: str
    description: str
    servers: tuple[tuple[Server, str], ...]
    """Each server with its description."""
    channels: tuple[ChannelDescription, ...]


def describe(path: Path | str) -> Description:
    """Describe a document, faulty or not; raises DocumentError when it cannot be read at all."""
    library = Library()
    root = library.open(Path(path))
    document, _ = read_document(root)
    describer = _Describer(library, root, document)
    return Description(
        title=document.title,
        version=document.version,
        asyncapi=document.asyncapi,
        description=_text(root, "info", "description"),
        servers=tuple(
            (server, _text(root, "servers", name, "description"))
            for name, server in document.servers.items()
        ),
        channels=tuple(describer.channel(channel) for channel in document.channels.values()),
    )


class _Describer:
    def __init__(self, library: Library, root: Node, document: Document) -> None:
        self._library = library
        self._everywhere = frozenset(document.servers)
        self._operations = _operations(root)

    def channel(self, channel: Channel) -> ChannelDescription:
        names = {message.identity: message.name for message in channel.sends}
        asked: dict[Identity, list[str]] = defaultdict(list)
        for message in channel.receives:
            for identity in message.responses:
                asked[identity].append(message.name)
        return ChannelDescription(
            channel.address,
            tuple(self._message(message, names, asked) for message in channel.receives),
            tuple(self._message(message, names, asked) for message in channel.sends),
        )

    def _message(
        self,
        message: Message,
        names: Mapping[Identity, str],
        asked: Mapping[Identity, list[str]],
    ) -> MessageDescription:
        node = self._node(message.place.file, message.place.pointer)
        operations = self._operations.get(message.identity, [])
        texts = [node.text("description"), *(o.text("description") for o in operations)]
        payload = node.get("payload")
        if payload is not None and payload.raw("schema") is not None:
            payload = payload.get("schema")
        asked_by = tuple(asked.get(message.identity, ()))
        servers = message.servers or frozenset()
        return MessageDescription(
            name=message.name,
            title=node.text("title") or message.name,
            summary=node.text("summary") or "",
            descriptions=tuple(dict.fromkeys(text for text in texts if text)),
            rows=tuple(rows(payload)) if payload is not None else (),
            examples=tuple(self._sample(example) for example in message.examples),
            answers=tuple(names[identity] for identity in message.responses if identity in names),
            asked_by=asked_by,
            unasked=not asked_by or any(o.text("action") == "send" for o in operations),
            correlation=message.correlation,
            servers=tuple(sorted(servers)) if servers != self._everywhere else (),
        )

    def _sample(self, example: Example) -> Sample:
        file, pointer = example.place.file, example.place.pointer
        above = self._node(file, pointer.rpartition("/")[0])
        title = above.text("summary") or above.text("name") or ""
        return Sample(title, shown(example.payload))

    def _node(self, file: str, pointer: str) -> Node:
        root = self._library.open(Path(file))
        return root.raw(*jsonpointer.tokens(pointer)) or root


def shown(value: object, width: int = 76) -> str:
    """A value as JSON on few lines, which fit into `width` where possible."""

    def lines(value: object, indent: int) -> Iterator[str]:
        flat = json.dumps(value, ensure_ascii=False)
        fits = len(flat) + indent <= width and indent
        if not isinstance(value, dict | list) or not value or fits:
            yield flat
            return
        named = isinstance(value, dict)
        members = value.items() if isinstance(value, dict) else enumerate(value)
        yield "{" if named else "["
        last = len(value) - 1
        for number, (key, member) in enumerate(members):
            head = f"{json.dumps(key, ensure_ascii=False)}: " if named else ""
            first, *rest = lines(member, indent + 2)
            block = [f"  {head}{first}", *(f"  {line}" for line in rest)]
            block[-1] += "," if number < last else ""
            yield from block
        yield "}" if named else "]"

    return "\n".join(lines(value, 0))


def _operations(root: Node) -> dict[Identity, list[Node]]:
    """The operations of each message."""
    found: dict[Identity, list[Node]] = defaultdict(list)
    for _, node in root.items_of("operations"):
        for element in _elements(node, "messages"):
            found[element.identity].append(node)
    for _, node in root.items_of("channels"):
        for operation in (node.get("publish"), node.get("subscribe")):
            alternatives = [*_elements(operation, "message", "oneOf")] if operation else []
            for alternative in alternatives:
                found[alternative.identity].append(alternative)
    return found


def _elements(node: Node, *path: str) -> Iterator[Node]:
    for step in path:
        below = node.raw(step)
        if below is None:
            return
        node = below
    for element in node.elements():
        try:
            yield element.follow()
        except DanglingReference:
            continue


def _text(root: Node, *path: str) -> str:
    try:
        found = root.get(*path)
    except DanglingReference:
        return ""
    return found.value if found is not None and isinstance(found.value, str) else ""
