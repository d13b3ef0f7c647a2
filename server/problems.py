"""The one table from what may be raised to what the client is told."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping

from connexion.exceptions import BadRequestProblem, ProblemException
from connexion.lifecycle import ConnexionRequest, ConnexionResponse
from starlette.exceptions import HTTPException

from handlers.errors import InvalidParameter
from ingest.core.errors import (
    ExchangeUnavailable,
    NotReady,
    RateLimited,
    RequestRefused,
    StoreUnavailable,
    UnknownSymbol,
)
from server.envelope import (
    INTERNAL_ERROR,
    JSON,
    NOT_FOUND,
    Detail,
    Problem,
    encode,
    malformed,
    method_not_allowed,
)
from server.negotiation import NotAcceptable
from server.parameters import ParameterError

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 1

INVALID_PARAMETER = "INVALID_PARAMETER"
INVALID_PARAMETERS = "Invalid parameters"


def _unavailable(error: str) -> Problem:
    return Problem(503, "SERVICE_UNAVAILABLE", "Service unavailable", error)


def _unknown_symbol(exc: Exception) -> Problem:
    return Problem(404, "SYMBOL_NOT_ACTIVE", "Symbol not active", str(exc))


def _invalid(exc: Exception) -> Problem:
    details = (
        exc.details
        if isinstance(exc, ParameterError)
        else (Detail(getattr(exc, "field", "request"), getattr(exc, "message", str(exc))),)
    )
    first = details[0]
    return Problem(
        400,
        INVALID_PARAMETER,
        INVALID_PARAMETERS,
        f"{first.field}: {first.message}; send it as GET /docs describes it",
        details,
    )


_STORE = _unavailable("The store does not answer; try again after Retry-After")
_EXCHANGE = _unavailable("The exchange does not answer; try again after Retry-After")

# The text of an error is shown where its class promises that it says what to do; others may speak
# of hosts and paths that are nobody's business.
PROBLEMS: Mapping[type[Exception], Callable[[Exception], Problem]] = {
    ParameterError: _invalid,
    InvalidParameter: _invalid,
    UnknownSymbol: _unknown_symbol,
    NotAcceptable: lambda exc: Problem(406, "NOT_ACCEPTABLE", "Not acceptable", str(exc)),
    NotReady: lambda exc: _unavailable(str(exc)),
    StoreUnavailable: lambda _: _STORE,
    ExchangeUnavailable: lambda _: _EXCHANGE,
    RateLimited: lambda _: _EXCHANGE,
    RequestRefused: lambda _: _EXCHANGE,
}
"""An error is looked up by its class, then by the classes that this derives from."""


def problem_of(exc: Exception) -> Problem:
    """What the client is told of an exception; an unknown one is `INTERNAL_ERROR`."""
    for cls in type(exc).__mro__:
        if cls in PROBLEMS:
            return PROBLEMS[cls](exc)
    return INTERNAL_ERROR


async def answer_application_error(_request: ConnexionRequest, exc: Exception) -> ConnexionResponse:
    """For what handlers and validators raise."""
    problem = problem_of(exc)
    if problem is INTERNAL_ERROR:
        logger.error("A handler failed", exc_info=exc)
    headers: dict[str, str] = {}
    if problem.status == 503:
        wait_s = RETRY_AFTER_S
        if isinstance(exc, RateLimited):
            wait_s = max(wait_s, math.ceil(exc.retry_at - time.monotonic()))
        headers["Retry-After"] = str(wait_s)
    return _response(problem, headers)


async def answer_http_error(request: ConnexionRequest, exc: Exception) -> ConnexionResponse:
    """For what routing raises: 404, 405, and 308 to the path with or without its last slash."""
    if not isinstance(exc, HTTPException):
        return _response(INTERNAL_ERROR)
    headers = dict(exc.headers or {})
    if exc.status_code == 308:
        return ConnexionResponse(status_code=308, body=b"", headers=headers)
    if exc.status_code == 405:
        return _response(method_not_allowed(request.method, headers["Allow"]), headers)
    if exc.status_code == 404:
        return _response(NOT_FOUND, headers)
    return _response(malformed(exc.detail, exc.status_code), headers)


async def answer_connexion_error(_request: ConnexionRequest, exc: Exception) -> ConnexionResponse:
    """For what Connexion itself raises: an unsupported media type, a missing body."""
    if isinstance(exc, BadRequestProblem):
        return _response(_invalid(InvalidParameter("body", str(exc.detail))))
    if isinstance(exc, ProblemException) and 400 <= exc.status < 500:
        return _response(malformed(str(exc.detail or exc.title), exc.status))
    logger.error("Connexion failed", exc_info=exc)
    return _response(INTERNAL_ERROR)


def _response(problem: Problem, headers: Mapping[str, str] | None = None) -> ConnexionResponse:
    return ConnexionResponse(
        status_code=problem.status,
        mimetype=JSON,
        body=encode(problem),
        headers=dict(headers or {}),
    )
