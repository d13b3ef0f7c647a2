"""Generates functions that write JSON texts of a schema, for messages that are sent often.

Each named schema becomes a function whose arguments are its members, and a type for its text, so
that a type checker refuses the text of another schema in its place. Decimals are passed as text,
arrays of objects as the bytes of an array: their rows are kept, and joined, as texts. A message in
another one is passed as its bytes. For None an optional member is left out, and a nullable one is
null.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from asyncapi_server import snake_case
from scripts.bundle import Bundle, Object
from scripts.facts_source import enumerations_of
from scripts.python_source import docstring, formatted, head

_HELPERS = '''
def array(texts: Iterable[str]) -> str:
    """Texts of JSON values as the text of an array."""
    return "[" + ",".join(texts) + "]"
'''


class NotEncodable(Exception):
    """A schema for which no encoder can be generated; the text says what to change in it."""


@dataclass(frozen=True, slots=True)
class _Value:
    """How a value is passed and written."""

    type: str
    """The type of the argument."""
    expression: str
    """The Python expression for its text, with `@` for the argument; a constant has no `@`."""
    is_nullable: bool = False
    is_bytes: bool = False

    @property
    def is_constant(self) -> bool:
        return not self.type


@dataclass(frozen=True, slots=True)
class _Member:
    """A member of an object, or an element of a tuple by its title."""

    name: str
    value: _Value
    is_required: bool = True
    title: str = ""
    """Names the argument instead, where there is one."""

    @property
    def argument(self) -> str:
        return snake_case(self.title or self.name).replace(" ", "_")

    @property
    def expression(self) -> str:
        shown = self.value.expression.replace("@", self.argument)
        if self.value.is_nullable:
            return f'"null" if {self.argument} is None else {shown}'
        return shown

    @property
    def parameter(self) -> str:
        can_be_none = self.value.is_nullable or not self.is_required
        kind = f"{self.value.type} | None" if can_be_none else self.value.type
        return f"{self.argument}: {kind}" + ("" if self.is_required else " = None")


class Encoders:
    """The encoders of one API, each added once, after those that it needs."""

    def __init__(self) -> None:
        self._functions: dict[str, str] = {}
        self._messages: dict[str, str] = {}
        """The type of the text of each message, by the schema of its payload."""
        self._enumerations: set[str] = set()
        """The enumerations that are types of arguments."""
        self.rows: set[str] = set()
        """The schemas of objects that arrays hold."""

    def add_message(self, name: str, bundle: Bundle, payload: Object) -> None:
        """Add the function for a message. Raises NotEncodable."""
        self._add(snake_case(name), json_type(name), "bytes", bundle, bundle.resolved(payload))
        self._messages[_referred(payload)] = json_type(name)

    def source(self, package: str, *sources: str) -> str:
        """The module with all added functions."""
        enumerations = ", ".join(sorted(self._enumerations))
        return formatted(
            head(*sources)
            + docstring("Encoders of messages that are sent often.", indent="")
            + "\n\nfrom __future__ import annotations\n"
            "from collections.abc import Iterable\n"
            "from json.encoder import encode_basestring as quoted\n"
            "from typing import NewType\n"
            + (f"from {package}.facts import {enumerations}\n" if enumerations else "")
            + f"\n{_HELPERS}\n\n"
            + "\n\n".join(self._functions.values())
        )

    def _add(
        self,
        function: str,
        kind: str,
        base: str,
        bundle: Bundle,
        schema: Object,
    ) -> None:
        if function in self._functions:
            raise NotEncodable(f"{function!r} names two shapes: rename one")
        members = list(self._members(bundle, schema))
        if base == "str" and any(member.value.is_bytes for member in members):
            raise NotEncodable(f"{function!r}: only a message may have an array of objects")
        is_tuple = schema.get("type") == "array"
        text = _Text()
        optional = ""
        for member in members:
            start = ("," if member is not members[0] else "") + (
                "" if is_tuple else f"{json.dumps(member.name)}:"
            )
            if member.is_required:
                text.literal(start)
                text.value(member)
            else:
                part = _Text()
                part.literal(start)
                part.value(member)
                shown = f'"" if {member.argument} is None else {part.pieces()[0]}'
                optional += f"    {member.argument}_member = {shown}\n"
                text.expression(f"{member.argument}_member")
        text.enclose("[]" if is_tuple else "{}")
        given = sorted(
            (m for m in members if not m.value.is_constant), key=lambda m: not m.is_required
        )
        signature = f"*, {', '.join(m.parameter for m in given)}" if given else ""
        self._functions[function] = (
            f"{kind} = NewType({kind!r}, {base})\n\n\n"
            f"def {function}({signature}) -> {kind}:\n{docstring(f'The text of {kind}.')}\n"
            f"{optional}    return {kind}({text.joined(as_bytes=base == 'bytes')})\n"
        )

    def _members(self, bundle: Bundle, schema: Object) -> Iterator[_Member]:
        if "allOf" in schema:
            for part in cast(list[Object], schema["allOf"]):
                yield from self._members(bundle, bundle.resolved(part))
        elif schema.get("type") == "array":
            for item in cast(list[Object], schema["items"]):
                name = item.get("title") or cast(str, item.get("$ref", "")).rsplit("/", 1)[-1]
                if not name:
                    raise NotEncodable(f"give each element of a tuple a title: {item}")
                yield _Member(cast(str, name), self._value(bundle, item))
        else:
            required = cast(list[str], schema.get("required", []))
            for name, member in cast(Mapping[str, Object], schema["properties"]).items():
                value = self._value(bundle, member)
                title = cast(str, member.get("title", ""))
                yield _Member(name, value, name in required or value.is_nullable, title)

    def _value(self, bundle: Bundle, schema: Object) -> _Value:
        name = ""
        while "$ref" in schema or len(cast(list[Object], schema.get("allOf", []))) == 1:
            if "$ref" in schema:
                name = cast(str, schema["$ref"]).rsplit("/", 1)[1]
                schema = bundle.resolved({"$ref": schema["$ref"]})
            else:
                schema = cast(list[Object], schema["allOf"])[0]
        if "anyOf" in schema:
            given = [c for c in cast(list[Object], schema["anyOf"]) if not _is_null(c)]
            if len(given) != 1:
                raise NotEncodable(f"a choice is of one schema and null: {schema}")
            inner = self._value(bundle, given[0])
            return _Value(inner.type, inner.expression, is_nullable=True)
        values = cast(
            list[object], schema.get("enum", [schema["const"]] if "const" in schema else [])
        )
        if schema.get("maxItems") == 0:
            return _Value("", "[]")
        if len(values) == 1:
            return _Value("", json.dumps(values[0]))
        choices = {_referred(choice) for choice in cast(list[Object], schema.get("oneOf", []))}
        if choices and choices <= self._messages.keys():
            kinds = " | ".join(sorted(self._messages[choice] for choice in choices))
            return _Value(kinds, "@", is_bytes=True)
        if schema.get("type") == "array" and isinstance(schema["items"], dict):
            items = bundle.resolved(schema["items"])
            if "properties" in items or "allOf" in items:
                self._value(bundle, schema["items"])
                self.rows.add(cast(str, schema["items"]["$ref"]).rsplit("/", 1)[1])
                return _Value("bytes", "@", is_bytes=True)
        kind, expression = self._plain(bundle, name, schema)
        return _Value(kind, expression, is_nullable=schema.get("nullable") is True)

    def _plain(self, bundle: Bundle, name: str, schema: Object) -> tuple[str, str]:
        """The type of an argument, and the expression for its text."""
        match schema.get("type"):
            case "integer":
                return "int", "@"
            case "number":
                return "str", "@"
            case "boolean":
                return "bool", '"true" if @ else "false"'
            case "string":
                if name in enumerations_of(bundle.schemas):
                    self._enumerations.add(name)
                    return name, "quoted(@)"
                return "str", "quoted(@)"
            case "array" if isinstance(schema["items"], dict):
                kind, each = self._plain_items(bundle, schema["items"])
                return f"Iterable[{kind}]", f"array({each})"
        is_composed = "properties" in schema or "allOf" in schema or schema.get("type") == "array"
        if not name or not is_composed:
            raise NotEncodable(f"give the schema a name and members: {schema}")
        if snake_case(name) not in self._functions:
            self._add(snake_case(name), json_type(name), "str", bundle, schema)
        return json_type(name), "@"

    def _plain_items(self, bundle: Bundle, items: Object) -> tuple[str, str]:
        item = self._value(bundle, items)
        if item.expression == "@":
            return item.type, "map(str, @)" if item.type == "int" else "@"
        return item.type, "map(quoted, @)"


def _referred(schema: Object) -> str:
    """The name of the schema that one refers to; empty where it is written in place."""
    return cast(str, schema.get("$ref", "")).rsplit("/", 1)[-1]


class _Text:
    """Pieces of literals and expressions as Python source."""

    def __init__(self) -> None:
        self._pieces: list[tuple[str, str]] = [("text", "")]

    def literal(self, text: str) -> None:
        escaped = text.replace("\\", "\\\\").replace("'", "\\'")
        self._append(escaped.replace("{", "{{").replace("}", "}}"))

    def expression(self, expression: str) -> None:
        self._append(f"{{{expression}}}")

    def value(self, member: _Member) -> None:
        if member.value.is_constant:
            self.literal(member.value.expression)
        elif member.value.is_bytes:
            self._pieces += [("bytes", member.argument), ("text", "")]
        else:
            self.expression(member.expression)

    def enclose(self, brackets: str) -> None:
        opening = "{{" if brackets[0] == "{" else "["
        self._pieces[0] = "text", opening + self._pieces[0][1]
        self.literal(brackets[1])

    def pieces(self) -> list[str]:
        return [text if kind == "bytes" else f"f'{text}'" for kind, text in self._pieces]

    def joined(self, *, as_bytes: bool) -> str:
        """The expression for the whole text."""
        if not as_bytes:
            return self.pieces()[0]
        parts = [text if kind == "bytes" else _encoded(text) for kind, text in self._pieces]
        # Joined, long rows are copied once; each `+` would copy all that stands before it.
        return f"b''.join(({', '.join(parts)}))" if len(parts) > 1 else parts[0]

    def _append(self, text: str) -> None:
        kind, before = self._pieces[-1]
        self._pieces[-1] = kind, before + text


def _encoded(text: str) -> str:
    """The expression for the bytes of what is inside an f-string."""
    plain = text.replace("{{", "").replace("}}", "")
    if "{" in plain or not text.isascii():
        return f"f'{text}'.encode()"
    return "b'" + text.replace("{{", "{").replace("}}", "}") + "'"


def json_type(name: str) -> str:
    """The name of the type for a text: that of `ohlcv_update` is OhlcvUpdateJson."""
    return "".join(word.capitalize() for word in snake_case(name).split("_")) + "Json"


def _is_null(schema: Object) -> bool:
    return schema.get("type") == "null" or schema.get("enum") == [None]
