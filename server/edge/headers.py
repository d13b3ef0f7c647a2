"""What every answer has in common, whichever part of the server gave it."""

from __future__ import annotations

import logging

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from server.edge.access import RATE_LIMIT
from server.edge.origin import CORS
from server.envelope import INTERNAL_ERROR, NOT_FOUND, malformed, method_not_allowed, response

logger = logging.getLogger(__name__)

SERVER_NAME = "candlecast"
MAX_TEXT = 200
"""Characters of an error's text that are shown."""

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


@web.middleware
async def envelope_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what aiohttp or a handler raises into the contract's envelope. Goes outermost."""
    try:
        return await handler(request)
    except web.HTTPMethodNotAllowed as error:
        allowed = error.headers[hdrs.ALLOW]
        return response(method_not_allowed(request.method, allowed), {hdrs.ALLOW: allowed})
    except web.HTTPNotFound:
        return response(NOT_FOUND)
    except web.HTTPRedirection:
        raise
    except web.HTTPException as error:
        return response(malformed(_why(error), error.status), _upgrade(error))
    except ConnectionError:
        raise
    except Exception:
        logger.exception("A handler failed on %s %s", request.method, request.rel_url)
        return response(INTERNAL_ERROR)


async def finish_headers(request: web.Request, answer: web.StreamResponse) -> None:
    """A listener for `on_response_prepare`: security, rate and CORS headers on every answer."""
    harden(answer)
    answer.headers.update(request.get(RATE_LIMIT, {}))
    for name, value in request.get(CORS, {}).items():
        known = answer.headers.get(name) if name == hdrs.VARY else None
        answer.headers[name] = f"{known}, {value}" if known else value


def _why(error: web.HTTPException) -> str:
    """The text of an error, where it has one that is more than its name."""
    text = " ".join((error.text or "").split())
    if not text or text.startswith(f"{error.status}:"):
        return f"The server answers this with {error.reason}"
    return text[:MAX_TEXT]


def _upgrade(error: web.HTTPException) -> dict[str, str]:
    """The protocol to upgrade to, which a 426 has to name."""
    if hdrs.UPGRADE not in error.headers:
        return {}
    return {hdrs.UPGRADE: error.headers[hdrs.UPGRADE], hdrs.CONNECTION: hdrs.UPGRADE}


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
