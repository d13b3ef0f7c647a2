"""The official meta-schemas: whether a document is one of its version.

References are resolved first, in all files, since a reference stands for what it leads to: the
target is judged at each place that refers to it, and its faults are reported at its own place.
References inside of schemas stay, as JSON Schema has them; schemas in other files are judged by
themselves.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from importlib import resources
from typing import cast

from asyncapi_server import pointer as jsonpointer
from asyncapi_server.document.details import cut
from asyncapi_server.document.dialects import Dialect, dialect_of
from asyncapi_server.document.parsing import MAX_VALUES
from asyncapi_server.document.references import NAMES, is_data, references
from asyncapi_server.document.rules import broken_in_schema
from asyncapi_server.document.source import DanglingReference, Node
from asyncapi_server.document.traits import traited
from asyncapi_server.findings import Finding, Rule
from asyncapi_server.validation import SchemaFault, Validator, validator

_SCHEMAS = frozenset({"headers", "payload", "schema"})
"""Keys whose values are schemas."""
_REFERRED = frozenset({"messages", "servers"})
"""Arrays that hold references, which the standard wants as such."""

Path = tuple[str, ...]


def departures(root: Node, version: str) -> Iterator[Finding]:
    """Each departure of a document from the standard of its version."""
    copy = _Copy(root)
    try:
        resolved = copy.whole()
    except _TooLarge:
        text = f"it has over {MAX_VALUES} values once its references are resolved"
        yield Finding(root.place, text, Rule.FILE)
        return
    whole, schema = _official(version)
    for path, text in faults(whole, resolved):
        yield Finding(copy.locate(path).place, text, Rule.STANDARD)
    for path, text in faults(whole, root.value):
        node = root.raw(*path)
        is_schema = bool(path) and path[-1] in _SCHEMAS
        if is_schema or node is None or node.reference is None:
            continue
        if "'$ref'" in text:
            yield Finding(node.place, "a reference has no place here", Rule.STANDARD)
    for node in copy.schemas():
        yield from judged(schema, node, Rule.STANDARD)
        yield from broken_in_schema(node)
    for node in copy.own_schemas:
        yield from broken_in_schema(node)


def judged(judge: Validator, node: Node, rule: Rule) -> Iterator[Finding]:
    """The faults of a value, as findings."""
    for path, text in faults(judge, node.value):
        yield Finding(node.source.place(node.pointer + jsonpointer.join(path)), text, rule)


def faults(judge: Validator, value: object) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The path and text of each fault of a value, once and as deep as it can be located."""
    leaves = [leaf for fault in judge.faults(value) for leaf in _leaves(fault)]
    yield from dict.fromkeys((leaf.path, cut(_text(leaf))) for leaf in leaves)


@cache
def _official(version: str) -> tuple[Validator, Validator]:
    """The validators of a version's documents, and of the schemas in them."""
    file = resources.files(__package__) / "metaschemas" / f"{version}.json.gz"
    meta = json.loads(gzip.decompress(file.read_bytes()))
    schema = {"definitions": meta["definitions"], "$ref": "#/definitions/schema"}
    return validator(meta), validator(schema)


def _leaves(fault: SchemaFault) -> list[SchemaFault]:
    """The causes of a fault: for a choice, those of the alternative that was meant.

    That is the one with the fewest faults at the value itself, since these mean that the value is
    of another kind; then the one with the fewest faults in all. A reference was not meant where
    the value is none.
    """
    if not fault.alternatives:
        return [fault]
    here = len(fault.path)
    branches = [
        [leaf for each in branch for leaf in _leaves(each)] for branch in fault.alternatives
    ]
    meant = [leaves for leaves in branches if not any(each.missing == "$ref" for each in leaves)]
    if len(meant) == 1:
        return meant[0]
    best = min(
        meant or branches,
        key=lambda leaves: (sum(len(each.path) <= here for each in leaves), len(leaves)),
        default=[],
    )
    return best if any(len(leaf.path) > here for leaf in best) else [fault]


def _text(fault: SchemaFault) -> str:
    if not fault.alternatives:
        return fault.text
    alternatives = [_text(branch[0]) for branch in fault.alternatives if branch]
    return "is none of what is allowed here: " + ", or ".join(dict.fromkeys(alternatives))


class _TooLarge(Exception):
    pass


class _Copy:
    """A document without references outside of its schemas."""

    def __init__(self, root: Node) -> None:
        self._root = root
        self._copied: dict[object, tuple[object, int]] = {}
        """The copies of targets, each with its number of values; they are shared."""
        self._schemas: list[Node] = []
        self._open: set[tuple[str, str]] = set()
        self._count = 0

    @property
    def own_schemas(self) -> Sequence[Node]:
        """The schemas that stand in the copy."""
        return self._schemas

    def whole(self) -> object:
        """The copy; raises _TooLarge."""
        return self._value(self._root, ())

    def locate(self, path: tuple[str | int, ...]) -> Node:
        """The value of the document that stands at a place of the copy."""
        node, tokens = self._root, tuple(map(str, path))
        for at, token in enumerate(tokens):
            below = node.raw(token)
            if below is None:
                return node
            stays = _stays(tokens[: at + 1])
            node = below if stays else _followed(below) or below
        return node

    def schemas(self) -> Iterator[Node]:
        """The schemas of other files that schemas refer to."""
        seen: set[tuple[str, str]] = set()
        waiting = list(self._schemas)
        while waiting:
            for reference in references(waiting.pop()):
                with suppress(DanglingReference):
                    target = reference.follow()
                    if target.identity not in seen and target.source is not self._root.source:
                        seen.add(target.identity)
                        waiting.append(target)
                        yield target

    def _value(self, node: Node, path: Path, *, are_names: bool = False) -> object:
        """The copy of a value; `are_names` says whether its keys are names, and mean nothing."""
        self._count += 1
        if self._count > MAX_VALUES:
            raise _TooLarge
        if node.reference is not None and not _stays(path):
            return self._target(node, path, are_names=are_names)
        if isinstance(node.value, list):
            return [self._value(e, (*path, str(n))) for n, e in enumerate(node.elements())]
        if not isinstance(node.value, dict):
            return node.value
        schema_format = _format(node)
        is_plain = dialect_of(schema_format) is Dialect.DRAFT_7
        schemas = path == ("components", "schemas")
        result = {}
        for name, member in node.items():
            if schemas or (name in _SCHEMAS and not are_names):
                result[name] = self._schema(member, is_plain=is_plain)
            elif is_data(name) and not are_names:
                result[name] = _examples(member.value) if name == "examples" else member.value
            else:
                names = name in NAMES and not are_names
                result[name] = self._value(member, (*path, name), are_names=names)
        if not is_plain and not are_names:
            result["schemaFormat"] = schema_format
        return result

    def _schema(self, node: Node, *, is_plain: bool) -> object:
        """A schema, which keeps its references; one that is a boolean is any schema or none."""
        try:
            target = node.follow()
        except DanglingReference:
            return node.value  # reported apart
        value = target.value
        if isinstance(value, bool):
            return {} if value else {"not": {}}  # the meta-schemas of 3.x overlook them
        if isinstance(value, dict) and "schemaFormat" in value:
            is_plain = dialect_of(target.text("schemaFormat")) is Dialect.DRAFT_7
        if is_plain:
            self._schemas.append(target)
        return value

    def _target(self, node: Node, path: Path, *, are_names: bool) -> object:
        try:
            target = node.follow()
        except DanglingReference:
            return node.value  # reported apart
        if target.identity in self._open:
            return node.value
        key = (target.identity, are_names, path[-2:])
        if key not in self._copied:
            before = self._count
            self._open.add(target.identity)
            try:
                value = self._value(target, path, are_names=are_names)
            finally:
                self._open.discard(target.identity)
            self._copied[key] = value, self._count - before
            return value
        value, size = self._copied[key]
        self._count += size
        if self._count > MAX_VALUES:
            raise _TooLarge
        return value


def _followed(node: Node) -> Node | None:
    try:
        return node.follow()
    except DanglingReference:
        return None  # reported apart


def _format(node: Node) -> str | None:
    """The `schemaFormat` of an object, which may be that of a trait."""
    if "traits" not in cast("dict[str, object]", node.value):
        return node.text("schemaFormat")
    return traited(node, _followed, traits_win=True).text("schemaFormat")


def _stays(path: Path) -> bool:
    """Whether the standard of 3.x wants a reference here; 2.x has none at such a place."""
    *_, above, last = ("", "", *path)
    return last == "channel" or (above in _REFERRED and last.isdigit())


def _examples(value: object) -> object:
    """Examples without their extensions, which the text allows and the meta-schemas overlook."""
    if not isinstance(value, list):
        return value
    return [
        {key: member for key, member in each.items() if not key.startswith("x-")}
        if isinstance(each, dict) and each.keys() & {"headers", "payload"}
        else each
        for each in value
    ]
