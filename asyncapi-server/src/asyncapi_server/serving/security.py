"""The credentials of the request that opens a connection, held to the document's security."""

from __future__ import annotations

import base64
import binascii
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from types import MappingProxyType

from asyncapi_server.document.contract import ChannelContract, Contract
from asyncapi_server.document.model import Scheme, Security
from asyncapi_server.document.security import either
from asyncapi_server.errors import RouterSetupError
from asyncapi_server.serving.handshake import HandshakeRefused

UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class Credential:
    """The credential of one scheme in the request that opens a connection."""

    scheme: str
    """The name of the scheme in the document; its type where it has none."""
    value: str
    """The token, the key, or the password of `basic`."""
    user: str = ""
    """The name of `basic`."""


Authenticate = Callable[[Credential, object], Awaitable[object] | object]
"""The identity that a credential proves, or None; also gets the request, or the ASGI scope. Sync or
async."""


class Gate:
    """Admits connections by the security schemes of the document."""

    def __init__(
        self, demands: Security, optional: Security, authenticators: Mapping[str, Authenticate]
    ) -> None:
        """`demands` are those on every connection, `optional` those of single messages.

        Raises RouterSetupError when a scheme has no function, or a function no scheme.
        """
        self._demands = demands
        schemes = {each.name: each for part in (*demands, *optional) for each in part}
        faults = [
            f"the security scheme {name!r} has no function that authenticates"
            for name in schemes.keys() - authenticators.keys()
        ]
        faults += [
            f"no security scheme {name!r} can be authenticated when a connection is opened"
            for name in authenticators.keys() - schemes.keys()
        ]
        if faults:
            raise RouterSetupError("; ".join(sorted(faults)))
        self._schemes = [(scheme, authenticators[name]) for name, scheme in schemes.items()]

    async def open(
        self,
        query: Iterable[tuple[str, str]],
        headers: Iterable[tuple[str, str]],
        request: object,
    ) -> Mapping[str, object]:
        """The identity of each scheme whose credential is good; raises HandshakeRefused when they
        do not meet what is demanded."""
        if not self._schemes:
            return NOBODY
        found = _Parts(query, headers)
        identities: dict[str, object] = {}
        for scheme, authenticate in self._schemes:
            credential = found.credential(scheme)
            identity = authenticate(credential, request) if credential is not None else None
            if inspect.isawaitable(identity):
                identity = await identity
            if identity is not None:
                identities[scheme.name] = identity
        if not meets(self._demands, identities):
            text = f"This server admits connections that are opened with {wanted(self._demands)}"
            raise HandshakeRefused(UNAUTHORIZED, text, self._challenge())
        return identities

    def _challenge(self) -> dict[str, str]:
        """The header that names the schemes of Authorization (RFC 9110, 11.6.1)."""
        prefixes = dict.fromkeys(each.prefix for part in self._demands for each in part)
        names = ", ".join(prefix.capitalize() for prefix in prefixes if prefix)
        return {"WWW-Authenticate": names} if names else {}


OPEN = Gate((), (), {})
"""Admits every connection."""
NOBODY: Mapping[str, object] = MappingProxyType({})
"""The identities of a connection without credentials."""


def gate(
    contract: Contract,
    channel: ChannelContract,
    server: str | None,
    authenticators: Mapping[str, Authenticate],
) -> Gate:
    """The gate of a channel at a server; without a server's name any of its servers' demands are
    enough. Raises RouterSetupError."""
    servers = contract.servers.values() if server is None else [contract.servers[server]]
    demands: Security | None = None
    for each in servers:
        demands = each.security if demands is None else either(demands, each.security)
    optional = [part for message in channel.receives for part in message.security]
    return Gate(demands or (), tuple(optional), authenticators)


def meets(demands: Security, identities: Mapping[str, object]) -> bool:
    """Whether these identities meet one of the alternatives."""
    return not demands or any(
        all(scheme.name in identities for scheme in schemes) for schemes in demands
    )


def wanted(demands: Security) -> str:
    """The alternatives in words."""
    return ", or ".join(" and ".join(map(_where, schemes)) for schemes in demands)


def _where(scheme: Scheme) -> str:
    if scheme.prefix:
        return f"the header {scheme.key}: {scheme.prefix.capitalize()} ..."
    what = {"header": "header", "query": "query parameter", "cookie": "cookie"}[scheme.part]
    return f"the {what} {scheme.key}"


class _Parts:
    """The query, headers and cookies of a request."""

    def __init__(
        self, query: Iterable[tuple[str, str]], headers: Iterable[tuple[str, str]]
    ) -> None:
        self._query = dict(query)
        self._headers = {name.lower(): value for name, value in headers}
        self._cookies: SimpleCookie = SimpleCookie()
        try:
            self._cookies.load(self._headers.get("cookie", ""))
        except CookieError:
            self._cookies.clear()

    def credential(self, scheme: Scheme) -> Credential | None:
        """The credential of a scheme, if there is one."""
        if scheme.part == "query":
            value = self._query.get(scheme.key)
        elif scheme.part == "cookie":
            morsel = self._cookies.get(scheme.key)
            value = None if morsel is None else morsel.value
        else:
            value = self._headers.get(scheme.key.lower())
        if value is None or not scheme.prefix:
            return None if not value else Credential(scheme.name, value)
        prefix, _, token = value.strip().partition(" ")
        token = token.strip()
        if prefix.lower() != scheme.prefix or not token:
            return None
        return (
            _basic(scheme.name, token)
            if scheme.prefix == "basic"
            else Credential(scheme.name, token)
        )


def _basic(name: str, token: str) -> Credential | None:
    """User and password of `basic` (RFC 7617)."""
    try:
        user, colon, password = base64.b64decode(token, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return Credential(name, password, user) if colon else None
