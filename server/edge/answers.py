"""Error responses, in the form of the API that the request is for."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TypeVar

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from multidict import istr

from generated.reply import JSON
from handlers import request_id
from handlers.problem import (
    INTERNAL_ERROR,
    NOT_FOUND,
    ErrorForm,
    Problem,
    malformed,
    method_not_allowed,
)

logger = logging.getLogger(__name__)

T = TypeVar("T")

X_REQUEST_ID = istr("X-Request-Id")

MAX_TEXT = 200
"""The number of characters shown of an error's text."""


class ErrorForms:
    """The error form of each path prefix, and of all other paths."""

    def __init__(self, default: ErrorForm, by_path: Mapping[str, ErrorForm]) -> None:
        self.default = default
        self._by_path = by_path

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Give a request its id, and turn exceptions of aiohttp or a handler into responses. Has
        to be the outermost."""
        request_id.begin(request.headers.get(X_REQUEST_ID))
        request[_FORMS] = self
        try:
            return await handler(request)
        except web.HTTPMethodNotAllowed as error:
            allowed = error.headers[hdrs.ALLOW]
            problem = method_not_allowed(request.method, allowed)
            return answer(request, problem, {hdrs.ALLOW: allowed})
        except web.HTTPNotFound:
            return answer(request, NOT_FOUND)
        except web.HTTPRedirection:
            raise
        except web.HTTPException as error:
            return answer(request, malformed(_why(error), error.status), _upgrade(error))
        except ConnectionError:
            raise
        except Exception:
            logger.exception("A handler failed on %s %s", request.method, request.rel_url.raw_path)
            return answer(request, INTERNAL_ERROR)

    def of(self, path: str) -> ErrorForm:
        """The error form of a path."""
        return below(path, self._by_path) or self.default


def below(path: str, values: Mapping[str, T]) -> T | None:
    """The value of the first of some paths that a path is at or below."""
    for start, value in values.items():
        if path == start or path.startswith(f"{start}/"):
            return value
    return None


_FORMS = web.RequestKey("error forms", ErrorForms)


def answer(
    request: web.Request, problem: Problem, headers: Mapping[str, str] | None = None
) -> web.Response:
    """A problem as the response to a request that has passed `ErrorForms.middleware`."""
    return in_form(request[_FORMS].of(request.rel_url.raw_path), problem, headers)


def in_form(
    form: ErrorForm, problem: Problem, headers: Mapping[str, str] | None = None
) -> web.Response:
    """A problem as a response in an error form."""
    status, body = form(problem)
    headers = {**problem.headers(status), **(headers or {})}
    return web.Response(status=status, body=body, content_type=JSON, headers=headers)


def _why(error: web.HTTPException) -> str:
    """The text of an error, or a default where it only repeats its status."""
    text = " ".join((error.text or "").split())
    if not text or text.startswith(f"{error.status}:"):
        return f"The server answers this with {error.reason}"
    return text[:MAX_TEXT]


def _upgrade(error: web.HTTPException) -> dict[str, str]:
    """The headers that name the protocol to upgrade to, required in a 426."""
    if hdrs.UPGRADE not in error.headers:
        return {}
    return {hdrs.UPGRADE: error.headers[hdrs.UPGRADE], hdrs.CONNECTION: hdrs.UPGRADE}
