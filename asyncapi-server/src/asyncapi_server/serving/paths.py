"""Paths of addresses: where a server of a document serves its channels."""

from __future__ import annotations

import itertools
import re

from asyncapi_server.document.model import Document
from asyncapi_server.errors import ContractError


def prefix(document: Document, server: str | None) -> str:
    """The path of a server of the document, "" without one; raises ContractError."""
    if server is None:
        return ""
    if server not in document.servers:
        known = ", ".join(document.servers) or "none"
        raise ContractError(f"the document has no server {server!r}; known: {known}")
    _, slash, path = document.servers[server].address.partition("/")
    return (slash + path).rstrip("/")


def path(prefix: str, address: str) -> str:
    """Where a channel is served, below the path of its server."""
    below = "/" + re.split("[?#]", address, maxsplit=1)[0].lstrip("/")
    return prefix if prefix and below == "/" else prefix + below


def route(path: str) -> str:
    """An aiohttp route of a path, whose parameters may have any names."""
    numbers = itertools.count()
    return re.sub(r"\{[^{}]*\}", lambda _: f"{{parameter{next(numbers)}}}", path)
