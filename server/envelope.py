"""The one shape of every answer that is an error, whoever found it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from aiohttp import web

JSON = "application/json"

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Detail:
    """One fault of a request."""

    field: str
    """Where it is: `query.limit`, `path.symbol`, `body.symbols.0`."""
    message: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong with one request, in the words that the client is shown."""

    status: int
    code: str
    """For programs, as the contract lists them: `INVALID_PARAMETER`."""
    message: str
    """What failed, in a few words."""
    error: str
    """Why it failed and what to do about it, in one sentence."""
    details: tuple[Detail, ...] = ()


def encode(problem: Problem) -> bytes:
    """The JSON text of the contract's envelope; `timestamp` is this machine's time in ms."""
    return _encoder.encode(
        {
            "success": False,
            "data": None,
            "message": problem.message,
            "timestamp": time.time_ns() // 1_000_000,
            "error": problem.error,
            "error_code": problem.code,
            "details": problem.details,
        }
    )


def response(problem: Problem, headers: Mapping[str, str] | None = None) -> web.Response:
    """The envelope as an answer of aiohttp."""
    return web.Response(
        status=problem.status, body=encode(problem), content_type=JSON, headers=headers
    )


def malformed(why: str, status: int = 400) -> Problem:
    """A request that breaks HTTP itself, or a bound of this server on it."""
    return Problem(status, "INVALID_REQUEST", "The request cannot be read", why)


def method_not_allowed(method: str, allowed: str) -> Problem:
    """A path that exists, asked in the wrong way; `allowed` is the value of `Allow`."""
    return Problem(
        405,
        "METHOD_NOT_ALLOWED",
        "Method not allowed",
        f"This path takes {allowed}, not {method[:20]}",
    )


NOT_FOUND = Problem(
    404, "NOT_FOUND", "Not found", "There is no such path; GET /docs shows those that there are"
)
INTERNAL_ERROR = Problem(
    500,
    "INTERNAL_ERROR",
    "Internal server error",
    "The server failed on this request and logged why; tell its operator when it was",
)
