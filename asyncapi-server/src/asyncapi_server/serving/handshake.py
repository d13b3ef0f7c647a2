"""The request that opens a connection, held to the parameters and bindings of its channel."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from asyncapi_server.document.contract import ChannelContract
from asyncapi_server.document.details import cut
from asyncapi_server.document.model import Schema
from asyncapi_server.validation import Validator, validator

_PARAMETER = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Opened:
    """A request that meets its channel."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    """The values of the address's parameters."""
    identities: Mapping[str, object] = field(default_factory=dict)
    """What authenticates it, by the name of the security scheme."""


ANY = Opened()
"""A request to an address without parameters or security."""


class HandshakeRefused(Exception):
    """A request that does not meet its channel; with the HTTP status, and a text for the client."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.headers = dict(headers or {})
        """Headers of the HTTP response."""


class Handshake:
    """The address of a channel, and the demands on requests to it."""

    def __init__(self, address: str, channel: ChannelContract) -> None:
        self.address = address
        self._names = _PARAMETER.findall(address)
        self._pattern = re.compile(_expression(address))
        self._parameters = {
            name: (validator(schema), schema.get("type"))
            for name, schema in channel.parameters.items()
        }
        query, headers = channel.query, channel.headers
        self._query = None if query is None else _Part("query", query, any_case=False)
        self._headers = None if headers is None else _Part("headers", headers, any_case=True)

    def open(
        self,
        path: str,
        query: Iterable[tuple[str, str]] = (),
        headers: Iterable[tuple[str, str]] = (),
    ) -> dict[str, str]:
        """The parameters of a request, which is held to the channel; raises HandshakeRefused.

        `path` may have a prefix before the address, and counts only where that has parameters. The
        names of headers have any case.
        """
        values = self._values(path) if self._names else {}
        if self._query is not None:
            self._query.check(query)
        if self._headers is not None:
            self._headers.check(headers)
        return values

    def _values(self, path: str) -> dict[str, str]:
        found = self._pattern.fullmatch(path)
        if found is None:
            raise HandshakeRefused(404, f"Nothing is served here: the address is {self.address}")
        values = dict(zip(self._names, found.groups(), strict=True))
        for name, value in values.items():
            judge, kind = self._parameters.get(name, (None, None))
            fault = judge.first(_typed(value, kind)) if judge is not None else None
            if fault is not None:
                raise HandshakeRefused(404, f"The address has no such {name}: {cut(fault.text)}")
        return values


class _Part:
    """The schema of a query or of headers, whose values come as texts."""

    def __init__(self, what: str, schema: Schema, *, any_case: bool) -> None:
        """With `any_case` names count as equal whatever their case."""
        self._what = what
        self._key: Callable[[str], str] = str.lower if any_case else str
        self._judge: Validator = validator(schema)
        declared = schema.get("properties")
        self._properties: dict[str, tuple[str, object]] = {}
        """By key: the name that the schema has, and the type of its values."""
        for name, each in declared.items() if isinstance(declared, Mapping) else ():
            kind = each.get("type") if isinstance(each, Mapping) else None
            self._properties[self._key(name)] = name, kind

    def check(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Raise HandshakeRefused when values do not meet the schema."""
        given: dict[str, list[str]] = {}
        for name, value in pairs:
            given.setdefault(self._key(name), []).append(value)
        values: dict[str, object] = {}
        for key, texts in given.items():
            name, kind = self._properties.get(key, (key, None))
            values[name] = texts if kind == "array" else _typed(texts[-1], kind)
        fault = self._judge.first(values)
        if fault is not None:
            place = "/".join(map(str, fault.path))
            text = f"The {self._what}{place and f' {place}'}: {cut(fault.text)}"
            raise HandshakeRefused(400, text)


def _typed(text: str, kind: object) -> object:
    """A text as a value of a type; itself when it is none."""
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    try:
        if kind == "integer":
            return int(text)
        if kind == "number":
            return float(text)
    except ValueError:
        pass
    return text


def _expression(address: str) -> str:
    """The regular expression of an address, which may follow a prefix."""
    parts = _PARAMETER.split(address.strip("/"))
    literal = [re.escape(part) if n % 2 == 0 else "([^/]+)" for n, part in enumerate(parts)]
    return r"(?:.*/)?" + "".join(literal) + "/?"
