"""Files of a document: read once, bounded, every value with its line.

YAML is read by the rules of YAML 1.2's core schema, as AsyncAPI requires: `on`, `yes`, dates and
`1:30` stay text, keys are text and unique.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import unquote

import yaml

from asyncapi_server import pointer as jsonpointer
from asyncapi_server.errors import DocumentError, Finding, Place

MAX_FILE_BYTES = 8 * 1024 * 1024
MAX_FILE_VALUES = 200_000
"""Values of one file after its YAML aliases are expanded: a bound on alias bombs."""
MAX_DEPTH = 200
MAX_REFERENCE_CHAIN = 32

_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


class DanglingReference(Exception):
    """A `$ref` leads nowhere; the text says why."""


def _scalar(text: str) -> object:
    """The value of an unquoted YAML scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


class _YamlReader:
    """Turns YAML nodes into plain JSON values and keeps the line of each."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[str, int] = {}

    def fault(self, node: yaml.Node, pointer: str, text: str) -> DocumentError:
        return DocumentError([Finding(Place(self.file, node.start_mark.line + 1, pointer), text)])

    def value(self, node: yaml.Node, pointer: str, depth: int = 0) -> object:
        if len(self.lines) >= MAX_FILE_VALUES or depth > MAX_DEPTH:
            raise self.fault(node, pointer, "the file is too large or too deep to be a document")
        self.lines[pointer] = node.start_mark.line + 1
        if isinstance(node, yaml.ScalarNode):
            plain = not node.style  # neither quoted nor a block of text
            return _scalar(node.value) if plain else node.value
        if isinstance(node, yaml.SequenceNode):
            return [
                self.value(item, jsonpointer.child(pointer, index), depth + 1)
                for index, item in enumerate(node.value)
            ]
        result: dict[str, object] = {}
        for key_node, item in cast(yaml.MappingNode, node).value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self.fault(key_node, pointer, "a key has to be plain text")
            key = key_node.value
            if key in result:
                raise self.fault(key_node, pointer, f"the key {key!r} is repeated here")
            result[key] = self.value(item, jsonpointer.child(pointer, key), depth + 1)
        return result


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its plain JSON value and the line of each pointer."""

    path: Path
    root: object
    lines: dict[str, int]

    @classmethod
    def read(cls, path: Path) -> Source:
        """Read a YAML or JSON file; a file that cannot be read is a DocumentError."""
        start = Place(str(path), 0, "")
        try:
            raw = path.read_bytes()
            if len(raw) > MAX_FILE_BYTES:
                raise DocumentError([Finding(start, f"larger than {MAX_FILE_BYTES} bytes")])
            text = raw.decode("utf-8")
            if path.suffix == ".json":
                return cls(path, json.loads(text, object_pairs_hook=_unique), {})
            reader = _YamlReader(str(path))
            node = yaml.compose(text, Loader=_PlainLoader)
            root = None if node is None else reader.value(node, "")
            return cls(path, root, reader.lines)
        except OSError as error:
            reason = error.strerror or str(error)
            raise DocumentError([Finding(start, f"cannot be read: {reason}")]) from error
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 0
            place = Place(str(path), line, "")
            raise DocumentError([Finding(place, f"not YAML: {error.problem}")]) from error
        except (ValueError, RecursionError, yaml.YAMLError) as error:
            raise DocumentError([Finding(start, f"cannot be parsed: {error}")]) from error

    def place(self, pointer: str) -> Place:
        return Place(str(self.path), self.lines.get(pointer, 0), pointer)


class _PlainLoader(yaml.CSafeLoader):
    """A loader that leaves plain scalars unresolved: `_scalar` resolves them."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = [key for key, _ in pairs]
        repeated = sorted({key for key in keys if keys.count(key) > 1})
        raise ValueError(f"these keys are repeated in one object: {', '.join(repeated)}")
    return result


class Library:
    """The files that a document is made of, opened as references lead to them."""

    def __init__(self) -> None:
        self._sources: dict[Path, Source] = {}

    def open(self, path: Path) -> Node:
        """The root of a file."""
        path = Path(path)
        key = path.resolve()
        if key not in self._sources:
            self._sources[key] = Source.read(path)
        source = self._sources[key]
        return Node(self, source, "", source.root)

    @property
    def roots(self) -> Iterator[Node]:
        """The root of each file opened so far."""
        for source in tuple(self._sources.values()):
            yield Node(self, source, "", source.root)


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A value in a file. Two nodes are the same value when their `identity` is equal."""

    library: Library
    source: Source
    pointer: str
    value: object

    @property
    def identity(self) -> tuple[str, str]:
        return str(self.source.path.resolve()), self.pointer

    @property
    def place(self) -> Place:
        return self.source.place(self.pointer)

    @property
    def key(self) -> str:
        """The last token of the pointer: the name that this value has in its file."""
        path = jsonpointer.tokens(self.pointer)
        return path[-1] if path else self.source.path.stem

    @property
    def reference(self) -> str | None:
        """The target of this value when it is a reference."""
        if isinstance(self.value, dict) and isinstance(target := self.value.get("$ref"), str):
            return target
        return None

    def raw(self, *path: str | int) -> Node | None:
        """The value below, references not followed; None when there is none."""
        value = jsonpointer.lookup(self.value, map(str, path))
        if value is jsonpointer.MISSING:
            return None
        return Node(self.library, self.source, self.pointer + jsonpointer.join(path), value)

    def get(self, *path: str | int) -> Node | None:
        """The value below, following every reference on the way and at the end."""
        node: Node | None = self.follow()
        for token in path:
            node = node.raw(token) if node is not None else None
            node = node.follow() if node is not None else None
        return node

    def follow(self) -> Node:
        """This value, or the end of its chain of references; raises DanglingReference."""
        node = self
        for _ in range(MAX_REFERENCE_CHAIN):
            target = node.reference
            if target is None:
                return node
            node = node.target(target)
        raise DanglingReference(f"the references from {self.place} go round in a circle")

    def target(self, reference: str) -> Node:
        """The target of one reference written in this node's file."""
        address, _, fragment = reference.partition("#")
        if "://" in address:
            raise DanglingReference(f"{reference!r} is remote: keep a copy beside the document")
        path = self.source.path
        if address:
            path = path.parent / unquote(address)
        try:
            found = self.library.open(path).raw(*jsonpointer.tokens(unquote(fragment)))
        except DocumentError as error:
            raise DanglingReference(f"{reference!r}: {error}") from error
        except ValueError as error:
            raise DanglingReference(f"{reference!r}: {error}") from error
        if found is None:
            raise DanglingReference(f"{reference!r} leads nowhere")
        return found

    def items(self) -> Iterator[tuple[str, Node]]:
        """The members of an object, references not followed."""
        if isinstance(self.value, dict):
            for key, value in self.value.items():
                yield key, self._member(key, value)

    def items_of(self, *path: str) -> Iterator[tuple[str, Node]]:
        """The members of the object below; none when there is no such object."""
        below = self.raw(*path)
        return below.items() if below is not None else iter(())

    def elements(self) -> Iterator[Node]:
        """The elements of an array, references not followed."""
        if isinstance(self.value, list):
            for index, value in enumerate(self.value):
                yield self._member(index, value)

    def text(self, key: str) -> str | None:
        """The text below `key`, or None when there is none."""
        found = self.raw(key)
        return found.value if found is not None and isinstance(found.value, str) else None

    def _member(self, token: str | int, value: object) -> Node:
        return Node(self.library, self.source, jsonpointer.child(self.pointer, token), value)
