"""Problems with requests over HTTP. Each API writes them in a form of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from generated.native.facts import ErrorCode
from ingest.core.errors import CandlecastError


@dataclass(frozen=True, slots=True)
class Detail:
    """One fault of a request."""

    field: str
    """Where it is: `query.limit`, `path.symbol`, `body.symbols.0`."""
    message: str
    keyword: str = ""
    """The keyword of JSON Schema that is not met, `required` for what is missing; `unknown` and
    `repeated` for parameters that are. Empty for any other fault."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request is not answered as it was meant to be."""

    status: int
    code: ErrorCode
    """For programs."""
    message: str
    """The failure in a few words."""
    error: str
    """Why it failed and what to do about it, in one sentence."""
    details: tuple[Detail, ...] = ()
    challenge: str = ""
    """The value of `WWW-Authenticate`, for 401 and 403."""

    def headers(self, status: int) -> dict[str, str]:
        """The headers of an answer with this status, which its form has chosen."""
        has_challenge = self.challenge and status in (401, 403)
        return {"WWW-Authenticate": self.challenge} if has_challenge else {}


ErrorForm = Callable[[Problem], tuple[int, bytes]]
"""The status and the JSON text by which an API answers a problem."""


class InvalidParameter(CandlecastError):
    """Parameters that are each within their bounds but make no sense together."""

    def __init__(self, field: str, message: str) -> None:
        """`field` is where the fault is, as in `query.start_time`."""
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


def malformed(why: str, status: int = 400) -> Problem:
    """A request that breaks HTTP itself, or a bound of this server on it."""
    return Problem(status, ErrorCode.INVALID_REQUEST, "The request cannot be read", why)


def method_not_allowed(method: str, allowed: str) -> Problem:
    """A path that exists, asked in the wrong way; `allowed` is the value of `Allow`."""
    return Problem(
        405,
        ErrorCode.METHOD_NOT_ALLOWED,
        "Method not allowed",
        f"This path takes {allowed}, not {method[:20]}",
    )


NOT_FOUND = Problem(
    404,
    ErrorCode.NOT_FOUND,
    "Not found",
    "There is no such path; GET /docs shows those that there are",
)
INTERNAL_ERROR = Problem(
    500,
    ErrorCode.INTERNAL_ERROR,
    "Internal server error",
    "The server failed on this request and logged why; tell its operator when it was",
)
