"""Security schemes in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from asyncapi_server.docs.description import SchemeDescription, Security
from asyncapi_server.docs.texts import below, elements, followed, members
from asyncapi_server.docs.wording import code, codes
from asyncapi_server.document.source import Node

_NAMES: Mapping[str, str] = {
    "X509": "client certificate (X.509)",
    "asymmetricEncryption": "asymmetric encryption",
    "gssapi": "GSSAPI",
    "plain": "SASL, plain",
    "scramSha256": "SASL, SCRAM-SHA-256",
    "scramSha512": "SASL, SCRAM-SHA-512",
    "symmetricEncryption": "symmetric encryption",
    "userPassword": "user name and password",
}
_FLOWS: Mapping[str, str] = {
    "authorizationCode": "authorization code",
    "clientCredentials": "client credentials",
    "implicit": "implicit",
    "password": "password",
}


def security(root: Node, declared: Node | None) -> Security:
    """The alternatives that a server or an operation lists."""
    return tuple(filter(None, _alternatives(root, declared)))


def _alternatives(root: Node, declared: Node | None) -> Iterator[tuple[SchemeDescription, ...]]:
    for element in elements(declared):
        if element.text("type") is not None:  # a scheme of 3.x
            yield (_scheme(element, _texts(element.raw("scopes"))),)
        else:
            yield tuple(_required(root, element))


def _required(root: Node, requirement: Node) -> Iterator[SchemeDescription]:
    """The schemes that a requirement of 2.x names."""
    for name, scopes in requirement.items():
        scheme = below(root, "components", "securitySchemes", name)
        if scheme is None:
            yield SchemeDescription(code(name), "")
        else:
            yield _scheme(scheme, _texts(scopes))


def _scheme(node: Node, scopes: list[str]) -> SchemeDescription:
    words = _words(node)
    if scopes:
        words += f" with {'scope' if len(scopes) == 1 else 'scopes'} {codes(scopes)}"
    return SchemeDescription(words, node.text("description") or "")


def _words(node: Node) -> str:
    kind = node.text("type") or ""
    place, name = node.text("in") or "", node.text("name") or ""
    if kind == "apiKey":
        return f"API key as the {'user name' if place == 'user' else 'password'}"
    if kind == "httpApiKey":
        return f"API key in the {place or 'request'} as {code(name)}"
    if kind == "http":
        form = node.text("bearerFormat")
        return f"HTTP {code(node.text('scheme') or '')}{f' ({code(form)})' if form else ''}"
    if kind == "openIdConnect":
        return f"OpenID Connect {_url(node.text('openIdConnectUrl'))}".rstrip()
    if kind == "oauth2":
        return "OAuth 2" + "".join(
            f", {_FLOWS.get(flow, code(flow))} {_url(_address(parts))}".rstrip()
            for flow, parts in members(node, "flows")
        )
    return _NAMES.get(kind, code(kind))


def _address(flow: Node) -> str | None:
    return flow.text("authorizationUrl") or flow.text("tokenUrl")


def _url(url: str | None) -> str:
    return f"at {code(url)}" if url else ""


def _texts(node: Node | None) -> list[str]:
    target = followed(node)
    if target is None or not isinstance(target.value, list):
        return []
    return [each for each in target.value if isinstance(each, str)]
