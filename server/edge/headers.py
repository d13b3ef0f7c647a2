"""What every answer has in common, whichever part of the server gave it."""

from __future__ import annotations

from aiohttp import hdrs, web

from server.edge.access import RATE_LIMIT
from server.edge.origin import CORS

SERVER_NAME = "candlecast"

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
DEFAULT_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
"""For answers that do not say otherwise."""


async def finish_headers(request: web.Request, answer: web.StreamResponse) -> None:
    """A listener for `on_response_prepare`: security, rate and CORS headers on every answer."""
    harden(answer)
    answer.headers.update(request.get(RATE_LIMIT, {}))
    for name, value in request.get(CORS, {}).items():
        known = answer.headers.get(name) if name == hdrs.VARY else None
        answer.headers[name] = f"{known}, {value}" if known else value


def harden(answer: web.StreamResponse) -> None:
    """Set the headers that each answer has, and the defaults of those that it may set itself."""
    headers = answer.headers
    headers[hdrs.SERVER] = SERVER_NAME
    headers.update(SECURITY_HEADERS)
    for name, value in DEFAULT_HEADERS.items():
        headers.setdefault(name, value)


async def expect_nothing(_request: web.Request) -> None:
    """The `expect_handler` of every route: the bridge invites a body when one is wanted.

    aiohttp's own invites each body, and answers an unknown expectation with a page of its own,
    both before access control has been asked.
    """
