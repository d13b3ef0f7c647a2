"""The table that maps exceptions to problem responses."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping

from connexion.exceptions import BadRequestProblem, ProblemException
from connexion.lifecycle import ConnexionRequest, ConnexionResponse
from connexion.middleware.exceptions import ExceptionMiddleware
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from generated.native.facts import ErrorCode
from generated.reply import JSON
from handlers.problem import (
    INTERNAL_ERROR,
    NOT_FOUND,
    Detail,
    ErrorForm,
    InvalidParameter,
    Problem,
    malformed,
    method_not_allowed,
)
from ingest.core.errors import (
    ExchangeUnavailable,
    JobLimit,
    JobOver,
    NoSuchFile,
    NotListed,
    NotReady,
    RateLimited,
    RequestRefused,
    StoreUnavailable,
    SymbolLimit,
    UnknownJob,
    UnknownSymbol,
)
from server.rest.files import UnsatisfiableRange
from server.rest.negotiation import NotAcceptable
from server.rest.parameters import ParameterError
from server.rest.scopes import CallerRefused

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 1


def _unavailable(error: str) -> Problem:
    return Problem(503, ErrorCode.SERVICE_UNAVAILABLE, "Service unavailable", error)


def _unknown_symbol(exc: Exception) -> Problem:
    return Problem(404, ErrorCode.SYMBOL_NOT_ACTIVE, "Symbol not active", str(exc))


def _invalid(exc: Exception) -> Problem:
    details = (
        exc.details
        if isinstance(exc, ParameterError)
        else (Detail(getattr(exc, "field", "request"), getattr(exc, "message", str(exc))),)
    )
    first = details[0]
    return Problem(
        400,
        ErrorCode.INVALID_PARAMETER,
        "Invalid parameters",
        f"{first.field}: {first.message}; send it as GET /docs describes it",
        details,
    )


_STORE = _unavailable("The store does not answer; try again after Retry-After")
_EXCHANGE = _unavailable("The exchange does not answer; try again after Retry-After")

# An error's text is shown only if its class is meant for clients; others may name internal hosts
# and paths.
PROBLEMS: Mapping[type[Exception], Callable[[Exception], Problem]] = {
    ParameterError: _invalid,
    InvalidParameter: _invalid,
    UnknownSymbol: _unknown_symbol,
    NotListed: lambda exc: Problem(404, ErrorCode.SYMBOL_NOT_LISTED, "Symbol not listed", str(exc)),
    SymbolLimit: lambda exc: Problem(409, ErrorCode.SYMBOL_LIMIT, "Too many symbols", str(exc)),
    UnknownJob: lambda exc: Problem(404, ErrorCode.JOB_NOT_FOUND, "No such job", str(exc)),
    JobLimit: lambda exc: Problem(409, ErrorCode.JOB_LIMIT, "Too many jobs", str(exc)),
    JobOver: lambda exc: Problem(409, ErrorCode.JOB_OVER, "Job is over", str(exc)),
    NotAcceptable: lambda exc: Problem(406, ErrorCode.NOT_ACCEPTABLE, "Not acceptable", str(exc)),
    NoSuchFile: lambda exc: Problem(404, ErrorCode.NOT_FOUND, "Not found", str(exc)),
    NotReady: lambda exc: _unavailable(str(exc)),
    StoreUnavailable: lambda _: _STORE,
    ExchangeUnavailable: lambda _: _EXCHANGE,
    RateLimited: lambda _: _EXCHANGE,
    RequestRefused: lambda _: _EXCHANGE,
}
"""Looked up by the class of an error, then by its base classes."""


def problem_of(exc: Exception) -> Problem:
    """The problem of an exception; `INTERNAL_ERROR` for an unknown one."""
    for cls in type(exc).__mro__:
        if cls in PROBLEMS:
            return PROBLEMS[cls](exc)
    return INTERNAL_ERROR


_ERROR = "candlecast.error"


async def _fail(scope: Scope, _receive: Receive, _send: Send) -> None:
    raise scope["extensions"].pop(_ERROR)


class Exceptions(ExceptionMiddleware):  # type: ignore[misc]  # connexion has no types
    """Connexion's exception middleware, called only when there is an error to answer.

    It prepares for one in each request. An error after the response has begun is the server's.
    """

    def __init__(self, next_app: ASGIApp) -> None:
        super().__init__(_fail)
        self._next_app = next_app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._next_app(scope, receive, sending)
        except Exception as error:
            if begun or scope["type"] != "http":
                raise
            scope["extensions"][_ERROR] = error
            await super().__call__(scope, receive, send)


class ErrorAnswers:
    """The Connexion error handlers of one API, in its error form."""

    def __init__(self, form: ErrorForm) -> None:
        self._form = form

    async def application(self, _request: ConnexionRequest, exc: Exception) -> ConnexionResponse:
        """Handle errors of handlers and validators."""
        if isinstance(exc, UnsatisfiableRange):
            return self._answer(malformed(str(exc), exc.status), exc.headers)
        if isinstance(exc, CallerRefused):
            return self._answer(exc.problem)
        problem = problem_of(exc)
        if problem is INTERNAL_ERROR:
            logger.error("A handler failed", exc_info=exc)
        headers: dict[str, str] = {}
        if problem.status == 503:
            wait_s = RETRY_AFTER_S
            if isinstance(exc, RateLimited):
                wait_s = max(wait_s, math.ceil(exc.retry_at - time.monotonic()))
            headers["Retry-After"] = str(wait_s)
        return self._answer(problem, headers)

    async def http(self, request: ConnexionRequest, exc: Exception) -> ConnexionResponse:
        """Handle 404, 405 and 308 (to the path with or without its trailing slash) of routing."""
        if not isinstance(exc, HTTPException):
            return self._answer(INTERNAL_ERROR)
        headers = dict(exc.headers or {})
        if exc.status_code == 308:
            return ConnexionResponse(status_code=308, body=b"", headers=headers)
        if exc.status_code == 405:
            return self._answer(method_not_allowed(request.method, headers["Allow"]), headers)
        if exc.status_code == 404:
            return self._answer(NOT_FOUND, headers)
        return self._answer(malformed(exc.detail, exc.status_code), headers)

    async def connexion(self, _request: ConnexionRequest, exc: Exception) -> ConnexionResponse:
        """Handle Connexion's own errors: an unsupported media type, a missing body."""
        if isinstance(exc, BadRequestProblem):
            return self._answer(_invalid(InvalidParameter("body", str(exc.detail))))
        if isinstance(exc, ProblemException) and 400 <= exc.status < 500:
            return self._answer(malformed(str(exc.detail or exc.title), exc.status))
        logger.error("Connexion failed", exc_info=exc)
        return self._answer(INTERNAL_ERROR)

    def _answer(
        self, problem: Problem, headers: Mapping[str, str] | None = None
    ) -> ConnexionResponse:
        status, body = self._form(problem)
        headers = {**problem.headers(status), **(headers or {})}
        return ConnexionResponse(status_code=status, mimetype=JSON, body=body, headers=headers)
