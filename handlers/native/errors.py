"""The error messages of the stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from ingest.core.timeframe import MAX_TIMEFRAME_MINUTES, label
from ingest.pipeline.pair import Pair
from wsrouter import Connection, Detail, Fault, FaultKind

_CODES = {
    FaultKind.MALFORMED: "INVALID_JSON",
    FaultKind.BINARY: "INVALID_JSON",
    FaultKind.UNKNOWN_MESSAGE: "UNKNOWN_ACTION",
    FaultKind.INVALID_MESSAGE: "INVALID_SUBSCRIPTION",
    FaultKind.WRONG_SERVER: "UNKNOWN_ACTION",
    FaultKind.TIMEOUT: "TIMEOUT",
    FaultKind.TOO_FAST: "CONNECTION_ERROR",
    FaultKind.BROKEN: "CONNECTION_ERROR",
    FaultKind.GOING_AWAY: "CONNECTION_ERROR",
    FaultKind.HANDLER_FAILED: "INTERNAL_ERROR",
}

Json = Mapping[str, object]


def error_reply(fault: Fault) -> Mapping[str, object]:
    """The contract's error message for whatever went wrong with a request."""
    code = fault.code or _CODES[fault.kind]
    text = fault.text
    details: dict[str, object] = {}
    if too_long := _too_long(fault):
        code, details = "INVALID_TIMEFRAME", too_long
        text = (
            f"Timeframe {too_long['timeframe']} of {too_long['symbol']} is above the maximum of "
            f"{MAX_TIMEFRAME_MINUTES} minutes"
        )
    elif fault.details:
        details = {"faults": [detail.as_dict() for detail in fault.details]}
        if any(_is_timeframe_too_small(detail) for detail in fault.details):
            text = "Invalid timeframe: timeframe must be positive"
    return {"type": "error", "error_code": code, "message": text, "details": details}


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
        "maximum": MAX_TIMEFRAME_MINUTES,
    }


def _at(value: object, tokens: Sequence[str]) -> object:
    """What stands at these tokens of a JSON pointer, all of which are known to be there."""
    for token in tokens:
        value = value[int(token)] if isinstance(value, list) else cast("Json", value)[token]
    return value


def on_failure(connection: Connection, pair: Pair) -> None:
    """Tell a client that a subscription has ended because its history could not be sent."""
    name = f"{pair.symbol} {label(pair.timeframe)}"
    text = f"The history of {name} could not be sent; subscribe again"
    connection.fault(Fault(FaultKind.HANDLER_FAILED, text))
