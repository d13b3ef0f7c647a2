"""Security schemes that a server or an operation demands."""

from __future__ import annotations

from collections.abc import Iterator

from asyncapi_server.document.messages import MessageReader
from asyncapi_server.document.model import Scheme, Security
from asyncapi_server.document.source import Node

_HEADER = "Authorization"
_TOKENS = frozenset({"oauth2", "openIdConnect"})
"""Types of schemes that end in a bearer token (RFC 6750)."""
_PARTS = frozenset({"header", "query", "cookie"})


def security(declared: Node | None, reader: MessageReader) -> Security:
    """The alternatives of a `security` array, of which a client meets one.

    None are demanded where one of them cannot be seen in the request that opens a connection: it
    is up to the application, such as a token in a message, or to what is in front of the server,
    such as a client's certificate.
    """
    if declared is None:
        return ()
    alternatives = [tuple(_schemes(element, reader)) for element in declared.elements()]
    seen = [tuple(each for each in schemes if each.part) for schemes in alternatives]
    return tuple(seen) if all(seen) else ()


def either(one: Security, two: Security) -> Security:
    """What meets one of two demands; nothing is demanded where one of them demands nothing."""
    return tuple(dict.fromkeys((*one, *two))) if one and two else ()


def _schemes(element: Node, reader: MessageReader) -> Iterator[Scheme]:
    """The schemes of one alternative: of 2.x by name, of 3.x itself."""
    target = reader.follow(element)
    if target is None:
        return
    if target.raw("type") is not None:
        yield _scheme(target.key if element.reference else "", target)
        return
    for name in target.value if isinstance(target.value, dict) else ():
        declared = reader.root.raw("components", "securitySchemes", name)
        scheme = reader.follow(declared) if declared is not None else None
        if scheme is not None:
            yield _scheme(name, scheme)


def _scheme(name: str, node: Node) -> Scheme:
    kind = node.text("type") or ""
    if kind in _TOKENS:
        return Scheme(name or kind, kind, "header", _HEADER, "bearer")
    if kind == "http":
        return Scheme(name or kind, kind, "header", _HEADER, (node.text("scheme") or "").lower())
    part, key = node.text("in") or "", node.text("name") or ""
    if kind != "httpApiKey" or not key or part not in _PARTS:
        part = ""
    return Scheme(name or kind, kind, part, key)
