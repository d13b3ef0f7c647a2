"""The headers that every response has."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import hdrs, web
from multidict import istr

from handlers import request_id
from server.edge.access import GRANTED, USED
from server.edge.answers import X_REQUEST_ID, below

SERVER_NAME = "candlecast"

SECURITY_HEADERS = {
    istr("X-Content-Type-Options"): "nosniff",
    istr("X-Frame-Options"): "DENY",
    istr("Referrer-Policy"): "no-referrer",
}
DEFAULT_HEADERS = {
    istr("Content-Security-Policy"): "default-src 'none'; frame-ancestors 'none'",
    hdrs.CACHE_CONTROL: "no-store",
}
"""For responses that do not set them."""


async def finish_headers(request: web.Request, answer: web.StreamResponse) -> None:
    """Add security, rate and CORS headers to a response; listens to `on_response_prepare`."""
    harden(answer)
    granted, varies = request.get(GRANTED, {}), answer.headers.get(hdrs.VARY)
    answer.headers.update(granted)
    if varies and hdrs.VARY in granted:
        answer.headers[hdrs.VARY] = f"{varies}, {granted[hdrs.VARY]}"


class UsedRequests:
    """Says how many of its requests a client has used, where an API has a header for that."""

    def __init__(self, names: Mapping[str, str]) -> None:
        """`names` are the headers by path."""
        self._names = names

    async def finish(self, request: web.Request, answer: web.StreamResponse) -> None:
        """Add the header to a response; listens to `on_response_prepare`."""
        used, name = request.get(USED), below(request.rel_url.raw_path, self._names)
        if used is not None and name is not None:
            answer.headers[name] = str(used)


def harden(answer: web.StreamResponse) -> None:
    """Set the headers of every response, and defaults for those that it may set itself."""
    headers = answer.headers
    headers[hdrs.SERVER] = SERVER_NAME
    headers[X_REQUEST_ID] = request_id.current()
    headers.update(SECURITY_HEADERS)
    for name, value in DEFAULT_HEADERS.items():
        headers.setdefault(name, value)


async def expect_nothing(_request: web.Request) -> None:
    """The `expect_handler` of every route: the bridge sends `100 Continue` when it reads a body.

    aiohttp's default sends it for every body, and answers an unknown expectation with its own page,
    both before access control.
    """
