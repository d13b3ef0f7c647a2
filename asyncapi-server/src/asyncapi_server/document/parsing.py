"""Parsing of YAML and JSON text: plain values, each with its line, bounded.

YAML is read by the rules of YAML 1.2's core schema, as AsyncAPI requires: `on`, `yes`, dates and
`1:30` stay text, keys are text and unique. Merge keys (`<<`), which 1.2 lacks and documents use,
are merged.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import cast

import yaml

from asyncapi_server import pointer as jsonpointer

MAX_VALUES = 200_000
"""Values of one file after its YAML aliases are expanded: a bound on alias bombs."""
MAX_DEPTH = 100

_TOO_LARGE = "the file is too large or too deep to be a document"
_MERGE = "<<"
_UNTAGGED = "untagged"
_TAG = "tag:yaml.org,2002:"
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_MAX_DIGITS = 400
"""Longer numbers stay text: reading one takes time that grows with the square of its length."""
_WORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_JSON_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*+"|[\[\]{},:\n]|[^\s\[\]{},:"]+')


class Unparsable(Exception):
    """Text that is no document; with the line and the JSON pointer where that shows."""

    def __init__(self, text: str, line: int = 0, pointer: str = "") -> None:
        super().__init__(text)
        self.line = line
        self.pointer = pointer


Lines = dict[str, int]
"""The line of each value, by its JSON pointer."""


def parse_yaml(text: str) -> tuple[object, Lines]:
    """The value of YAML text; raises Unparsable."""
    try:
        _bound(text)
        node = yaml.compose(text, Loader=_PlainLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise Unparsable(f"not YAML: {error.problem or error.context}", line) from error
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise Unparsable(f"not YAML: {error}") from error
    reader = _YamlReader()
    return None if node is None else reader.value(node, ""), reader.lines


def parse_json(text: str) -> tuple[object, Lines]:
    """The value of JSON text; raises Unparsable."""
    lines = _json_lines(text)
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair cannot be encoded
        return value, lines
    except json.JSONDecodeError as error:
        raise Unparsable(f"not JSON: {error.msg}", error.lineno) from error
    except (ValueError, RecursionError) as error:
        raise Unparsable(f"not JSON: {error}") from error


def _bound(text: str) -> None:
    """Refuse text of too many values before any of them is built."""
    count = 0
    for event in yaml.parse(text, Loader=_PlainLoader):
        count += isinstance(event, yaml.NodeEvent)
        if count > 2 * MAX_VALUES:  # keys count too
            raise Unparsable(_TOO_LARGE)


class _PlainLoader(yaml.CSafeLoader):
    """A loader that leaves plain scalars unresolved: `_scalar` resolves them."""

    DEFAULT_SCALAR_TAG = _UNTAGGED  # type: ignore[misc]  # final in its stubs
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


def _tagged(node: yaml.ScalarNode) -> object:
    """The value of a YAML scalar, by its tag if it has one of YAML's own."""
    if node.tag in (f"{_TAG}int", f"{_TAG}float", f"{_TAG}bool", f"{_TAG}null"):
        return _scalar(node.value)
    if node.tag == f"{_TAG}str" or node.style:  # quoted, or a block of text
        return node.value
    return _scalar(node.value)


def _scalar(text: str) -> object:
    """The value of an unquoted YAML scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > _MAX_DIGITS:
        return text
    if _INTEGER.fullmatch(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


class _YamlReader:
    """Turns YAML nodes into plain JSON values and keeps the line of each."""

    def __init__(self) -> None:
        self.lines: Lines = {}

    def value(self, node: yaml.Node, pointer: str, depth: int = 0) -> object:
        line = node.start_mark.line + 1
        if len(self.lines) >= MAX_VALUES or depth > MAX_DEPTH:
            raise Unparsable(_TOO_LARGE, line, pointer)
        self.lines[pointer] = line
        if isinstance(node, yaml.ScalarNode):
            return _tagged(node)
        if isinstance(node, yaml.SequenceNode):
            return [
                self.value(item, jsonpointer.child(pointer, index), depth + 1)
                for index, item in enumerate(node.value)
            ]
        result: dict[str, object] = {}
        merged: list[object] = []
        for key_node, item in cast(yaml.MappingNode, node).value:
            key = self._key(key_node, pointer)
            if key == _MERGE and not key_node.style and not isinstance(item, yaml.ScalarNode):
                merged.append(self.value(item, pointer, depth + 1))
                continue
            if key in result:
                line = key_node.start_mark.line + 1
                raise Unparsable(f"the key {key!r} is repeated here", line, pointer)
            result[key] = self.value(item, jsonpointer.child(pointer, key), depth + 1)
        for each in _flat(merged):
            result = {**each, **result}
        self.lines[pointer] = node.start_mark.line + 1
        return result

    def _key(self, node: yaml.Node, pointer: str) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise Unparsable("a key has to be plain text", node.start_mark.line + 1, pointer)
        return str(node.value)


def _flat(merged: list[object]) -> Iterator[dict[str, object]]:
    """The mappings that are merged into one, those that count more first."""
    for each in merged:
        if isinstance(each, dict):
            yield each
        elif isinstance(each, list):
            yield from (part for part in each if isinstance(part, dict))


def _json_lines(text: str) -> Lines:
    """The line of each value of JSON text; raises Unparsable when there are too many."""
    reader = _JsonReader()
    for match in _JSON_TOKEN.finditer(text):
        reader.read(match.group())
    return reader.lines


class _Open:
    """An array or object of JSON text that is not closed yet."""

    __slots__ = ("at", "pointer")

    def __init__(self, pointer: str, at: str | int | None) -> None:
        self.pointer = pointer
        self.at = at
        """The index or the key of its next value; None before a key."""


class _JsonReader:
    """Finds the lines of values in the tokens of JSON text, sound or not."""

    def __init__(self) -> None:
        self.lines: Lines = {}
        self._line = 1
        self._count = 0
        self._open: list[_Open] = []

    def read(self, word: str) -> None:
        """Take the next token; raises Unparsable when there are too many values."""
        top = self._open[-1] if self._open else None
        if word == "\n":
            self._line += 1
        elif word == ",":
            if top is not None:
                top.at = top.at + 1 if isinstance(top.at, int) else None
        elif word in "]}":
            del self._open[-1:]
        elif top is not None and top.at is None:
            top.at = _text(word)
        elif word != ":":
            self._value(word, "" if top is None else jsonpointer.child(top.pointer, top.at or 0))

    def _value(self, word: str, pointer: str) -> None:
        self.lines[pointer] = self._line
        self._count += 1
        if self._count > MAX_VALUES or len(self._open) > MAX_DEPTH:
            raise Unparsable(_TOO_LARGE, self._line)
        if word in "[{":
            self._open.append(_Open(pointer, 0 if word == "[" else None))


def _text(word: str) -> str:
    """The text of a key; that of a faulty one is of no use."""
    try:
        return str(json.loads(word))
    except ValueError:
        return word


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        counts = Counter(key for key, _ in pairs)
        repeated = sorted(key for key, count in counts.items() if count > 1)
        raise ValueError(f"these keys are repeated in one object: {', '.join(repeated)}")
    return result
