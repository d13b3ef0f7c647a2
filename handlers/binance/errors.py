"""Errors in Binance's codes and form: answers over REST, and messages of the streams."""

from __future__ import annotations

from collections.abc import Mapping

from asyncapi_server import Detail as Place
from asyncapi_server import Fault, FaultKind, encode
from generated.binance import facts
from generated.native.facts import ErrorCode
from handlers.problem import Detail, Problem

_CODES = {
    ErrorCode.SYMBOL_NOT_ACTIVE: facts.ERROR_CODE_BAD_SYMBOL,
    ErrorCode.IP_NOT_ALLOWED: facts.ERROR_CODE_UNAUTHORIZED,
    ErrorCode.FORBIDDEN: facts.ERROR_CODE_UNAUTHORIZED,
    ErrorCode.UNAUTHORIZED: facts.ERROR_CODE_BAD_KEY,
    ErrorCode.RATE_LIMITED: facts.ERROR_CODE_TOO_MANY_REQUESTS,
}
"""Any other problem that is none of a parameter is unknown to Binance."""

_OF_KEYWORDS = {
    "required": facts.ERROR_CODE_MISSING,
    "unknown": facts.ERROR_CODE_UNREAD,
    "repeated": facts.ERROR_CODE_DUPLICATE,
    "minLength": facts.ERROR_CODE_EMPTY,
    "minimum": facts.ERROR_CODE_BAD_VALUE,
    "maximum": facts.ERROR_CODE_BAD_VALUE,
}
"""Any other keyword that a value does not meet is one of illegal characters."""

_OF_FIELDS = {
    "query.interval": facts.ERROR_CODE_BAD_INTERVAL,
    "query.timeZone": facts.ERROR_CODE_BAD_VALUE,
}
"""Whatever is wrong with the value of such a parameter."""

_OF_HANDLERS = {
    **_OF_FIELDS,
    "query.limit": facts.ERROR_CODE_BAD_VALUE,
    "query.symbols": facts.ERROR_CODE_ILLEGAL_CHARACTERS,
}
"""Codes of values that a handler refuses; in any other field parameters exclude each other."""

_GIVEN_WRONG = ("required", "unknown", "repeated", "minLength")

_NOT_SERVED = (
    "This path is not served here: of Binance's API there are candles, aggregate trades and"
    " tickers, no order books, single trades, orders or accounts"
)

_TEXTS = {
    facts.ERROR_CODE_BAD_SYMBOL: "Invalid symbol.",
    facts.ERROR_CODE_BAD_INTERVAL: "Invalid interval.",
    facts.ERROR_CODE_BAD_COMBINATION: "Combination of optional parameters invalid.",
    facts.ERROR_CODE_MISSING: (
        "Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
    ),
    facts.ERROR_CODE_EMPTY: "Parameter '{name}' was empty.",
    facts.ERROR_CODE_DUPLICATE: "Duplicate values for parameter '{name}' detected.",
    facts.ERROR_CODE_UNREAD: "Parameter '{name}' is not known to this path.",
    facts.ERROR_CODE_ILLEGAL_CHARACTERS: "Illegal characters found in parameter '{name}'.",
    facts.ERROR_CODE_BAD_VALUE: "Data sent for parameter '{name}' is not valid.",
}


def error_form(problem: Problem) -> tuple[int, bytes]:
    """A problem over REST as `{"code", "msg"}`."""
    code, text = _CODES.get(problem.code, facts.ERROR_CODE_UNKNOWN), problem.error
    status = problem.status
    if problem.code is ErrorCode.NOT_FOUND:
        text = _NOT_SERVED
    if problem.details:
        code = _code_of(problem.details[0])
        name = problem.details[0].field.partition(".")[2]
        text = _TEXTS[code].format(name=name) + f" {problem.details[0].message}"
    elif code in _TEXTS:
        status, text = 400, f"{_TEXTS[code]} {problem.error}"
    return status, encode({"code": code, "msg": text})


def _code_of(detail: Detail) -> int:
    if not detail.keyword:
        return _OF_HANDLERS.get(detail.field, facts.ERROR_CODE_BAD_COMBINATION)
    if detail.keyword not in _GIVEN_WRONG and detail.field in _OF_FIELDS:
        return _OF_FIELDS[detail.field]
    return _OF_KEYWORDS.get(detail.keyword, facts.ERROR_CODE_ILLEGAL_CHARACTERS)


def error_reply(fault: Fault) -> Mapping[str, object]:
    """The message for whatever went wrong with a request on the streams."""
    code, text = facts.REQUEST_ERROR_CODE_INVALID, fault.text
    match fault.kind:
        case FaultKind.REFUSED:
            code = int(fault.code or code)
        case FaultKind.MALFORMED | FaultKind.BINARY:
            code = facts.REQUEST_ERROR_CODE_NO_JSON
            text = f"Invalid JSON: {text}"
        case FaultKind.INVALID_MESSAGE:
            text = _of_places(fault.details) or text
    if code == facts.REQUEST_ERROR_CODE_INVALID:
        text = f"Invalid request: {text}"
    return {"code": code, "msg": text}


def _of_places(details: tuple[Place, ...]) -> str:
    """Why a request does not meet its schema."""
    if any(detail.path == "/id" for detail in details):
        return "request ID must be an unsigned integer, or a text of at most 36 characters"
    return "; ".join(f"{detail.path or 'request'}: {detail.message}" for detail in details)
