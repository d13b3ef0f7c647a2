"""Host and origin checks: the names of the server, and the web pages that may use it.

A browser sends the `Host` that it connects to and the `Origin` of the page. The `Host` check stops
DNS rebinding, which needs a name for this machine; the `Origin` check refuses pages of other sites.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from aiohttp import hdrs, web

from generated.native.facts import ErrorCode
from handlers.problem import Problem, malformed
from server.edge.address import parse_address

EXPOSED: Final = (
    "Data-Quality, ETag, Next-Cursor, RateLimit-Limit, RateLimit-Policy, RateLimit-Remaining, "
    "RateLimit-Reset, Retry-After, X-Request-Id"
)
"""Response headers, beside the usual ones, that pages of allowed origins may read."""

HOSTS_KEPT: Final = 256
PREFLIGHT_SECONDS: Final = 600
METHODS: Final = "GET, HEAD, POST, OPTIONS"

_HOST: Final = re.compile(
    r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~-]{1,253})(?::([0-9]{1,5}))?", re.ASCII
)
_ORIGIN: Final = re.compile(
    r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9._-]{1,253})(?::([0-9]{1,5}))?", re.ASCII
)
_PORTS: Final = {"http": "80", "https": "443"}


def parse_names(text: str) -> tuple[str, ...]:
    """Parse comma-separated host names into lower case; raises ValueError."""
    names = tuple(name.strip().lower() for name in text.split(",") if name.strip())
    for name in names:
        found = _HOST.fullmatch(name)
        if found is None or found[2]:
            raise ValueError("names such as market.example.org, without a port, commas between")
    return names


def parse_origins(text: str) -> tuple[str, ...]:
    """Parse comma-separated origins, as browsers send them; raises ValueError."""
    origins = tuple(origin.strip().lower() for origin in text.split(",") if origin.strip())
    if not all(_ORIGIN.fullmatch(origin) for origin in origins):
        raise ValueError("origins such as https://app.example.org, commas between")
    return origins


@dataclass(frozen=True, slots=True)
class OriginPolicy:
    """The names and origins that are allowed in addition to the server's own."""

    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()

    def refused(self, request: web.Request) -> Problem | None:
        """The refusal of a request by its `Host` or `Origin`; None when it is allowed."""
        hosts, origins = (
            request.headers.getall(hdrs.HOST, []),
            request.headers.getall(hdrs.ORIGIN, []),
        )
        host = hosts[0] if hosts else ""
        known = _host(host)
        if len(hosts) > 1 or (hosts and known is None):
            return malformed("The Host header is no single name or address, with or without a port")
        if known is not None and not (known.is_local or known.name in self.hosts):
            return _not_allowed(
                f"This server does not answer to the name {known.name}; its operator can add it "
                "to CANDLECAST_ALLOWED_HOSTS"
            )
        if not origins or (len(origins) == 1 and self._admits(origins[0], host)):
            return None
        return _not_allowed(
            f"Pages of the origin {', '.join(origins)[:100]} may not use this server; its operator "
            "can add it to CANDLECAST_ALLOWED_ORIGINS"
        )

    def cors(self, request: web.Request) -> dict[str, str]:
        """The headers that let a page read the response; one of another origin gets none."""
        if not self.origins:
            return {}
        origin = request.headers.get(hdrs.ORIGIN, "")
        headers: dict[str, str] = {hdrs.VARY: hdrs.ORIGIN}
        if origin.lower() in self.origins:
            headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
            headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = EXPOSED
        return headers

    def preflight(self, request: web.Request) -> web.Response | None:
        """The response to a CORS preflight request; None for any other request."""
        asked: Mapping[str, str] = request.headers
        if request.method != hdrs.METH_OPTIONS or hdrs.ACCESS_CONTROL_REQUEST_METHOD not in asked:
            return None
        if asked.get(hdrs.ORIGIN, "").lower() not in self.origins:
            return None
        headers = {
            hdrs.ACCESS_CONTROL_ALLOW_METHODS: METHODS,
            hdrs.ACCESS_CONTROL_MAX_AGE: str(PREFLIGHT_SECONDS),
        }
        if wanted := asked.get(hdrs.ACCESS_CONTROL_REQUEST_HEADERS):
            headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = wanted
        return web.Response(status=204, headers=headers)

    def _admits(self, origin: str, host: str) -> bool:
        """Whether an `Origin` is allowed, or matches the `Host` that the request came by."""
        found = _ORIGIN.fullmatch(origin.lower())
        if found is None:
            return False
        if origin.lower() in self.origins:
            return True
        own = _HOST.fullmatch(host)
        if own is None:
            return False
        default = _PORTS[found[1]]
        return (found[2], found[3] or default) == (own[1].lower(), own[2] or default)


class _Host(NamedTuple):
    """The value of a `Host` header, without its port."""

    name: str
    is_local: bool
    """Whether this is an address or a loopback name."""


@lru_cache(HOSTS_KEPT)
def _host(value: str) -> _Host | None:
    """The host that a header names; None when it is malformed or empty."""
    found = _HOST.fullmatch(value)
    if found is None:
        return None
    name = found[1].lower().rstrip(".")
    is_loopback = name == "localhost" or name.endswith(".localhost")
    return _Host(name, is_loopback or parse_address(name.strip("[]")) is not None)


def _not_allowed(text: str) -> Problem:
    return Problem(403, ErrorCode.IP_NOT_ALLOWED, "Access denied", text)
