"""Files of a document: read once, bounded, every value with its place."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from asyncapi_server import pointer as jsonpointer
from asyncapi_server.document.parsing import Lines, Unparsable, parse_json, parse_yaml
from asyncapi_server.errors import DocumentError
from asyncapi_server.findings import Finding, Place, Rule

MAX_FILE_BYTES = 8 * 1024 * 1024
MAX_FILES = 500
"""Files of one document."""
MAX_REFERENCE_CHAIN = 32


class DanglingReference(Exception):
    """A `$ref` leads nowhere; the text says why."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its plain JSON value and the line of each pointer."""

    path: Path
    root: object
    lines: Lines
    identity: str
    """The same for each way to the file."""

    @classmethod
    def read(cls, path: Path) -> Source:
        """Read a YAML or JSON file; a file that cannot be read is a DocumentError."""
        try:
            text = _text(path)
            root, lines = (parse_json if path.suffix == ".json" else parse_yaml)(text)
            return cls(path, root, lines, str(_resolved(path)))
        except OSError as error:
            reason = error.strerror or str(error)
            raise _unreadable(path, f"cannot be read: {reason}") from error
        except Unparsable as error:
            place = Place(str(path), error.line, error.pointer)
            raise DocumentError([Finding(place, str(error), Rule.FILE)]) from error
        except ValueError as error:
            raise _unreadable(path, f"cannot be read: {error}") from error

    def place(self, pointer: str) -> Place:
        """The place of a value, or of the nearest one above it that has a line."""
        at = pointer
        while at and at not in self.lines:
            at = at.rpartition("/")[0]
        return Place(str(self.path), self.lines.get(at, 0), pointer)


def _text(path: Path) -> str:
    """The text of a regular file of a bounded size; raises OSError or ValueError."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is no regular file")
    if status.st_size > MAX_FILE_BYTES:
        raise ValueError(f"it is larger than {MAX_FILE_BYTES} bytes")
    with path.open("rb") as file:
        raw = file.read(MAX_FILE_BYTES + 1)
    if len(raw) > MAX_FILE_BYTES:
        raise ValueError(f"it is larger than {MAX_FILE_BYTES} bytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 from byte {error.start} on") from error


def _unreadable(path: Path, text: str) -> DocumentError:
    return DocumentError([Finding(Place(str(path), 0, ""), text, Rule.FILE)])


class Library:
    """The files that a document is made of, opened as references lead to them."""

    def __init__(self, within: Path | None = None) -> None:
        """References lead to files in the folder `within` only; None: that of the first file."""
        self._sources: dict[Path, Source] = {}
        self._anchors: dict[str, dict[str, str]] = {}
        self._resolved: dict[Path, Path] = {}
        self.followed: dict[tuple[str, str], Node | DanglingReference] = {}
        """The end of each chain of references that was followed, or why it has none."""
        self._within = None if within is None else within.resolve()

    def open(self, path: Path) -> Node:
        """The root of a file; raises DocumentError."""
        key = self._resolved.get(path) or self._resolved.setdefault(path, _resolved(path))
        if self._within is None:
            self._within = key.parent
        if key not in self._sources:
            if not key.is_relative_to(self._within):
                text = f"lies outside {self._within}: a folder that has both has to be named"
                raise _unreadable(path, text)
            if len(self._sources) >= MAX_FILES:
                raise _unreadable(path, f"is one file too many: a document has {MAX_FILES}")
            self._sources[key] = Source.read(path)
        source = self._sources[key]
        return Node(self, source, "", source.root)

    def pointer(self, root: Node, fragment: str) -> str:
        """The JSON pointer that a fragment is, or that of the schema which has it as its anchor."""
        if not fragment or fragment.startswith("/"):
            return fragment
        file = root.source.identity
        if file not in self._anchors:
            self._anchors[file] = dict(_anchors(root))
        return self._anchors[file].get(fragment, fragment)

    @property
    def roots(self) -> Iterator[Node]:
        """The root of each file opened so far."""
        for source in tuple(self._sources.values()):
            yield Node(self, source, "", source.root)


def _anchors(root: Node) -> Iterator[tuple[str, str]]:
    """Each `$anchor` of a file, with the pointer of its schema."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if (name := node.text("$anchor")) is not None:
            yield name, node.pointer
        waiting += (member for _, member in node.items())
        waiting += node.elements()


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, before Python 3.13
        raise _unreadable(path, "cannot be read: its links lead in a circle") from error
    except ValueError as error:
        raise _unreadable(path, f"cannot be read: {error}") from error


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A value in a file. Two nodes are the same value when their `identity` is equal."""

    library: Library
    source: Source
    pointer: str
    value: object

    @property
    def identity(self) -> tuple[str, str]:
        return self.source.identity, self.pointer

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
        if self.reference is None:
            return self
        known = self.library.followed.get(self.identity)
        if known is None:
            try:
                known = self._follow(_Chain(self.place))
            except DanglingReference as error:
                known = error
            self.library.followed[self.identity] = known
        if isinstance(known, DanglingReference):
            raise known
        return known

    def target(self, reference: str) -> Node:
        """The target of one reference written in this node's file; raises DanglingReference.

        References on the way are followed, so `#/channels/c/messages/ping` leads into a channel
        that is itself a reference.
        """
        return self._target(reference, _Chain(self.place))

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

    @property
    def _root(self) -> Node:
        """The root of this node's file."""
        return Node(self.library, self.source, "", self.source.root)

    def _member(self, token: str | int, value: object) -> Node:
        return Node(self.library, self.source, jsonpointer.child(self.pointer, token), value)

    def _follow(self, chain: _Chain) -> Node:
        node = self
        while (reference := node.reference) is not None:
            node = node._target(reference, chain)
        return node

    def _target(self, reference: str, chain: _Chain) -> Node:
        chain.step()
        address, _, fragment = reference.partition("#")
        if "://" in address:
            raise DanglingReference(f"{reference!r} is remote: keep a copy beside the document")
        try:
            root = self._root
            if address:
                root = self.library.open(self.source.path.parent / unquote(address))
            tokens = jsonpointer.tokens(self.library.pointer(root, unquote(fragment)))
        except (DocumentError, ValueError) as error:
            raise DanglingReference(f"{reference!r}: {error}") from error
        found: Node | None = root
        for token in tokens:
            below = found.raw(token) if found is not None else None
            if below is None and found is not None and found.reference is not None:
                below = found._follow(chain).raw(token)
            found = below
        if found is None:
            raise DanglingReference(f"{reference!r} leads nowhere")
        return found


class _Chain:
    """The references that are followed to find one value."""

    __slots__ = ("left", "start")

    def __init__(self, start: Place) -> None:
        self.start = start
        self.left = MAX_REFERENCE_CHAIN

    def step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise DanglingReference(
                f"the references from {self.start} go round in a circle, or lead on over"
                f" {MAX_REFERENCE_CHAIN} times"
            )
