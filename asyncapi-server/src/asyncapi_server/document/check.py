"""A check that reports every fault of a document with its place.

Errors break the standard: the meta-schema of the document's version, or a rule that no meta-schema
holds. Then there is what cannot be served here, and advice. `findings.Rule` has all of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from pathlib import Path

from asyncapi_server import pointer as jsonpointer
from asyncapi_server.document.channels import ambiguous
from asyncapi_server.document.loader import read_document
from asyncapi_server.document.messages import X_RESPONSE, X_SERVERS
from asyncapi_server.document.model import Channel, Document, Example, Identity, Message
from asyncapi_server.document.parameters import disagreements
from asyncapi_server.document.references import DATA, dangling, unused
from asyncapi_server.document.refusals import may_refuse
from asyncapi_server.document.rules import broken_rules
from asyncapi_server.document.source import Library, Node
from asyncapi_server.document.standard import departures, faults, judged
from asyncapi_server.errors import DocumentError
from asyncapi_server.findings import Finding, Rule
from asyncapi_server.validation import Validator, validator

_EXTENSIONS = (X_RESPONSE, X_SERVERS)


def check(
    path: Path | str, *, as_client: bool = False, within: Path | None = None
) -> list[Finding]:
    """The faults of the document at `path`, sorted by place; empty when it is good.

    `as_client` and `within` are those of `load_document`.
    """
    library = Library(within)
    try:
        root = library.open(Path(path))
        document = read_document(root, as_client=as_client)
    except DocumentError as error:
        return list(error.findings)
    findings = [
        *(f for f in document.findings if f.rule is not Rule.REFERENCE),  # `dangling` has all
        *departures(root, document.asyncapi),
        *dangling(library, root),
        *unused(library, root),
        *disagreements(root),
        *broken_rules(root),
        *_extensions(library),
        *(finding for channel in document.channels.values() for finding in _channel(channel)),
        *_examples(document, library),
    ]
    return sorted(set(findings))


def _extensions(library: Library) -> Iterator[Finding]:
    """Violations of the published schemas of our extensions."""
    for root in library.roots:
        for node, name in _uses(root):
            yield from judged(_extension(name), node, Rule.EXTENSION)


def _uses(node: Node) -> Iterator[tuple[Node, str]]:
    for name, member in node.items():
        if name in _EXTENSIONS:
            yield member, name
        elif name not in DATA:
            yield from _uses(member)
    for element in node.elements():
        yield from _uses(element)


@cache
def _extension(name: str) -> Validator:
    file = resources.files(__package__) / "extensions" / f"{name}.schema.json"
    return validator(json.loads(file.read_bytes()))


def _channel(channel: Channel) -> Iterator[Finding]:
    yield from ambiguous(channel)
    names = {message.identity: message for message in channel.sends}
    for message in channel.receives:
        if message.x_response is None and message.reply is None:
            text = f"{message.name!r} has neither a reply nor {X_RESPONSE}"
            yield Finding(message.place, text, Rule.ANSWER)
        if message.x_response is not None and message.reply is not None:
            yield from _disagreement(message, message.x_response, message.reply)
        replies = [names[identity] for identity in message.responses if identity in names]
        if replies and not any(may_refuse(reply.name, reply.schema) for reply in replies):
            listed = ", ".join(repr(reply.name) for reply in replies)
            text = f"no reply to {message.name!r} can report an error: there is only {listed}"
            yield Finding(message.place, text, Rule.ANSWER)


def _disagreement(
    message: Message, x_response: Iterable[Identity], reply: Iterable[Identity]
) -> Iterator[Finding]:
    extension, native = set(x_response), set(reply)
    for only, here, there in (
        (extension - native, X_RESPONSE, "reply"),
        (native - extension, "reply", X_RESPONSE),
    ):
        for _, pointer in sorted(only):
            text = f"{message.name!r}: {here} names {pointer}, {there} does not"
            yield Finding(message.place, text, Rule.AGREEMENT)


def _examples(document: Document, library: Library) -> Iterator[Finding]:
    """Messages without examples, and examples that fail the schema of their message."""
    messages = {
        message.identity: message
        for channel in document.channels.values()
        for message in (*channel.receives, *channel.sends)
    }
    for message in messages.values():
        if not message.examples:
            yield Finding(message.place, f"{message.name!r} has no example", Rule.UNILLUSTRATED)
    for message in (*messages.values(), *document.others):
        yield from _failing(message, message.schema, message.examples, library)
        if message.headers is not None:
            yield from _failing(message, message.headers, message.header_examples, library)


def _failing(
    message: Message, schema: dict[str, object], examples: Iterable[Example], library: Library
) -> Iterator[Finding]:
    judge = validator(schema)
    for example in examples:
        source = library.open(Path(example.place.file)).source
        for path, fault in faults(judge, example.payload):
            place = source.place(example.place.pointer + jsonpointer.join(path))
            text = f"this example of {message.name!r} does not validate: {fault}"
            yield Finding(place, text, Rule.EXAMPLE)
