"""Errors in the contract's form: messages of the stream, and envelopes over REST."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from asyncapi_server import Connection, Detail, Fault, FaultKind, encode
from generated.native.facts import API_KEY_MAX_LENGTH, TIMEFRAME_MAXIMUM, StreamErrorCode
from generated.native.models import Error, ErrorDetail, ErrorEnvelope
from handlers import request_id
from handlers.failure import log_failure
from handlers.problem import Problem
from ingest.binance.now import host_ms
from ingest.pipeline.pair import Pair

_CODES = {
    FaultKind.MALFORMED: StreamErrorCode.INVALID_JSON,
    FaultKind.BINARY: StreamErrorCode.INVALID_JSON,
    FaultKind.UNKNOWN_MESSAGE: StreamErrorCode.UNKNOWN_ACTION,
    FaultKind.INVALID_MESSAGE: StreamErrorCode.INVALID_SUBSCRIPTION,
    FaultKind.WRONG_SERVER: StreamErrorCode.UNKNOWN_ACTION,
    FaultKind.UNAUTHORIZED: StreamErrorCode.CONNECTION_ERROR,
    FaultKind.REFUSED: StreamErrorCode.INVALID_SUBSCRIPTION,
    FaultKind.TIMEOUT: StreamErrorCode.TIMEOUT,
    FaultKind.TOO_FAST: StreamErrorCode.CONNECTION_ERROR,
    FaultKind.BROKEN: StreamErrorCode.CONNECTION_ERROR,
    FaultKind.GOING_AWAY: StreamErrorCode.CONNECTION_ERROR,
    FaultKind.HANDLER_FAILED: StreamErrorCode.INTERNAL_ERROR,
}

_UNQUOTED = "authenticate"
"""The message of which no error quotes a value: one may be a key."""

Json = Mapping[str, object]


def error_reply(fault: Fault) -> Mapping[str, object]:
    """The contract's error message for whatever went wrong with a request."""
    code = StreamErrorCode(fault.code) if fault.code else _CODES[fault.kind]
    text = fault.text
    details: dict[str, object] = {}
    if too_long := _too_long(fault):
        code, details = StreamErrorCode.INVALID_TIMEFRAME, too_long
        text = (
            f"Timeframe {too_long['timeframe']} of {too_long['symbol']} is above the maximum of "
            f"{TIMEFRAME_MAXIMUM} minutes"
        )
    elif fault.message == _UNQUOTED and fault.details:
        text = (
            f"Invalid {_UNQUOTED!r}: it takes an api_key of at most {API_KEY_MAX_LENGTH} "
            "characters, and a request_id"
        )
    elif fault.details:
        details = {"faults": [detail.as_dict() for detail in fault.details]}
        if any(_is_timeframe_too_small(detail) for detail in fault.details):
            text = "Invalid timeframe: timeframe must be positive"
    error = Error(type="error", error_code=code, message=text, details=details)
    return error.model_dump(exclude_unset=True)


def _is_timeframe_too_small(detail: Detail) -> bool:
    return _is_timeframe(detail) and detail.keyword == "minimum"


def _is_timeframe(detail: Detail) -> bool:
    names = detail.path.split("/")
    return names[-1] == "timeframe" or names[-2:-1] == ["timeframes"]


def _too_long(fault: Fault) -> dict[str, object]:
    """Symbol, timeframe and maximum, where too long timeframes are all that is wrong."""
    if not fault.details or not all(
        _is_timeframe(detail) and detail.keyword == "maximum" for detail in fault.details
    ):
        return {}
    tokens = fault.details[0].path.split("/")[1:]
    return {
        "symbol": _at(fault.request, [*tokens[:2], "symbol"]),
        "timeframe": _at(fault.request, tokens),
        "maximum": TIMEFRAME_MAXIMUM,
    }


def _at(value: object, tokens: Sequence[str]) -> object:
    """The value at these tokens of a JSON pointer, all of which exist."""
    for token in tokens:
        value = value[int(token)] if isinstance(value, list) else cast("Json", value)[token]
    return value


def on_failure(connection: Connection, topic: Pair | str, error: Exception) -> None:
    """Send an error: a subscription has ended because its first message could not be sent."""
    log_failure(topic, error)
    name = topic if isinstance(topic, str) else f"history of {topic.symbol} {topic.label}"
    text = f"The {name} could not be sent; subscribe again"
    connection.fault(Fault(FaultKind.HANDLER_FAILED, text))


def error_form(problem: Problem) -> tuple[int, bytes]:
    """A problem over REST as the contract's envelope, at this machine's time; its `request_id` is
    that of the request under way."""
    envelope = ErrorEnvelope(
        success=False,
        data=None,
        message=problem.message,
        timestamp=host_ms(),
        error=problem.error,
        error_code=problem.code,
        details=[ErrorDetail(field=each.field, message=each.message) for each in problem.details],
        request_id=request_id.current(),
    )
    return problem.status, encode(envelope)
