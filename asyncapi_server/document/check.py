"""A check that reports every fault of a document with its place.

Faults are: violations of the official meta-schema of the document's version, references that
lead nowhere, unused parts, payloads that are not schemas, messages that cannot be distinguished,
examples that are missing or do not validate, `x-response` that disagrees with `reply`, and
requests without an answer or without one that can report an error.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from importlib import resources
from pathlib import Path

import jsonschema_rs

from asyncapi_server import pointer as jsonpointer
from asyncapi_server.document.contract import overlaps, sent_overlaps, stray_replies
from asyncapi_server.document.details import cut
from asyncapi_server.document.loader import read_document
from asyncapi_server.document.messages import X_RESPONSE, X_SERVERS
from asyncapi_server.document.model import Channel, Document, Identity, Message
from asyncapi_server.document.schemas import Validator, validator
from asyncapi_server.document.source import DanglingReference, Library, Node
from asyncapi_server.errors import DocumentError, Finding

_NOT_REFERENCES = frozenset({"const", "default", "enum", "example", "examples"})
"""Keys whose values are data, in which `$ref` means nothing."""
_EXTENSIONS = (X_RESPONSE, X_SERVERS)
_Kind = jsonschema_rs.ValidationErrorKind


def check(path: Path | str) -> list[Finding]:
    """The faults of the document at `path`, sorted by place; empty when it is good."""
    library = Library()
    try:
        root = library.open(Path(path))
    except DocumentError as error:
        return list(error.findings)
    document, findings = read_document(root)
    if not document.asyncapi:
        return findings
    findings = [
        *findings,
        *_meta_schema(root),
        *_references(library, root),
        *_unused(library, root),
        *_extensions(library),
        *(finding for channel in document.channels.values() for finding in _channel(channel)),
        *_examples(document, library),
    ]
    return sorted(set(findings))


def _meta_schema(root: Node) -> Iterator[Finding]:
    yield from _failures(_official(root.text("asyncapi") or ""), root)


@cache
def _official(version: str) -> Validator:
    """The validator of a version's documents."""
    file = resources.files(__package__) / "metaschemas" / f"{version}.json.gz"
    return validator(json.loads(gzip.decompress(file.read_bytes())))


def _failures(judge: Validator, node: Node) -> Iterator[Finding]:
    for path, text in _faults(judge, node.value):
        pointer = node.pointer + path
        yield Finding(node.source.place(pointer), text)


def _faults(judge: Validator, value: object) -> Iterator[tuple[str, str]]:
    """The path and text of each fault of a value, once and as deep as it can be located."""
    leaves = [leaf for error in judge.iter_errors(value) for leaf in _leaves(error)]
    yield from dict.fromkeys(
        (jsonpointer.join(leaf.instance_path), cut(leaf.message)) for leaf in leaves
    )


def _leaves(error: jsonschema_rs.ValidationError) -> list[jsonschema_rs.ValidationError]:
    """The causes of an error: for a choice, those of the alternative that was meant.

    That is the one with the fewest faults at the value itself, since these mean that the value is
    of another kind; then the one with the fewest faults in all.
    """
    kind = error.kind
    if not isinstance(kind, _Kind.AnyOf | _Kind.OneOfNotValid):
        return [error]
    here = len(error.instance_path)
    branches = [[leaf for each in branch for leaf in _leaves(each)] for branch in kind.context]
    best = min(
        branches,
        key=lambda leaves: (sum(len(e.instance_path) <= here for e in leaves), len(leaves)),
        default=[],
    )
    return best if any(len(leaf.instance_path) > here for leaf in best) else [error]


def _references(library: Library, root: Node) -> Iterator[Finding]:
    """Dangling references, in the document and in each file that it leads to."""
    done: set[Identity] = set()
    while True:
        fresh = [node for node in (root, *library.roots) if node.identity not in done]
        if not fresh:
            return
        done.update(node.identity for node in fresh)
        for node in {n.identity: n for n in fresh}.values():
            yield from _dangling(node)


def _dangling(node: Node) -> Iterator[Finding]:
    if node.reference is not None:
        try:
            node.follow()
        except DanglingReference as error:
            yield Finding(node.place, str(error))
        return
    for name, member in node.items():
        if name not in _NOT_REFERENCES:
            yield from _dangling(member)
    for element in node.elements():
        yield from _dangling(element)


def _unused(library: Library, root: Node) -> Iterator[Finding]:
    """Messages and schemas of the document that nothing refers to."""
    used = {target for node in library.roots for target in _targets(node)}
    for kind in ("messages", "schemas"):
        for name, node in root.items_of("components", kind):
            if not any(_within(node, pointer) for pointer in used):
                yield Finding(node.place, f"{name!r} of components.{kind} is used by nothing")


def _targets(node: Node) -> Iterator[Identity]:
    """The direct targets of the references below a node."""
    if node.reference is not None:
        with suppress(DanglingReference):
            yield node.target(node.reference).identity
        return
    for name, member in node.items():
        if name not in _NOT_REFERENCES:
            yield from _targets(member)
    for element in node.elements():
        yield from _targets(element)


def _within(node: Node, target: Identity) -> bool:
    file, pointer = node.identity
    return target[0] == file and (target[1] + "/").startswith(pointer + "/")


def _extensions(library: Library) -> Iterator[Finding]:
    """Violations of the published schemas of our extensions."""
    for root in library.roots:
        for node, name in _uses(root):
            yield from _failures(_extension(name), node)


def _uses(node: Node) -> Iterator[tuple[Node, str]]:
    for name, member in node.items():
        if name in _EXTENSIONS:
            yield member, name
        elif name not in _NOT_REFERENCES:
            yield from _uses(member)
    for element in node.elements():
        yield from _uses(element)


@cache
def _extension(name: str) -> Validator:
    file = resources.files(__package__) / "extensions" / f"{name}.schema.json"
    return validator(json.loads(file.read_bytes()))


def _channel(channel: Channel) -> Iterator[Finding]:
    yield from overlaps(channel)
    yield from sent_overlaps(channel)
    yield from stray_replies(channel)
    names = {message.identity: message for message in channel.sends}
    for message in channel.receives:
        if message.x_response is None:
            yield Finding(message.place, f"{message.name!r} is a request without {X_RESPONSE}")
        elif message.reply is not None:
            yield from _disagreement(message, message.x_response, message.reply)
        replies = [names[identity] for identity in message.responses if identity in names]
        if replies and not any(_can_report_error(reply) for reply in replies):
            listed = ", ".join(repr(reply.name) for reply in replies)
            text = f"no reply to {message.name!r} can report an error: there is only {listed}"
            yield Finding(message.place, text)


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
            yield Finding(message.place, text)


def _can_report_error(message: Message) -> bool:
    """Whether a message can report a failure: by its name, a property or a constant."""
    return any("error" in word.lower() for word in (message.name, *_words(message.schema)))


def _words(schema: object) -> Iterator[str]:
    """The names of properties and the text constants anywhere in a schema."""
    if isinstance(schema, list):
        for element in schema:
            yield from _words(element)
    if not isinstance(schema, dict):
        return
    for keyword, value in schema.items():
        if keyword in ("properties", "definitions") and isinstance(value, dict):
            if keyword == "properties":
                yield from value
            for child in value.values():
                yield from _words(child)
        elif keyword in ("const", "enum"):
            constants = value if isinstance(value, list) else [value]
            yield from (constant for constant in constants if isinstance(constant, str))
        else:
            yield from _words(value)


def _examples(document: Document, library: Library) -> Iterator[Finding]:
    """Messages without examples, and examples that fail the schema of their message."""
    messages = {
        message.identity: message
        for channel in document.channels.values()
        for message in (*channel.receives, *channel.sends)
    }
    for message in messages.values():
        if not message.examples:
            yield Finding(message.place, f"{message.name!r} has no example")
        check_payload = validator(message.schema)
        for example in message.examples:
            source = library.open(Path(example.place.file)).source
            for path, text in _faults(check_payload, example.payload):
                place = source.place(example.place.pointer + path)
                yield Finding(place, f"this example of {message.name!r} does not validate: {text}")
