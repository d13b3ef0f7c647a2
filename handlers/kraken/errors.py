"""Errors in Kraken's words and form: messages of its streams, and answers over REST."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from asyncapi_server import Detail, Fault, FaultKind, encode
from generated.kraken.facts import ErrorText
from generated.kraken.models import Error, PingStatus, SubscriptionError
from generated.native.facts import ErrorCode
from handlers.problem import Problem

_PING = "ping"

_TEXTS: Mapping[tuple[str, str], ErrorText] = {
    ("/pair", "type"): ErrorText.PAIR_IS_NO_ARRAY,
    ("/pair", ""): ErrorText.NO_PAIR,
    ("/subscription", "type"): ErrorText.SUBSCRIPTION_IS_NO_OBJECT,
    ("/subscription", "additionalProperties"): ErrorText.UNKNOWN_FIELD,
    ("/subscription/name", ""): ErrorText.BAD_NAME,
    ("/subscription/interval", "type"): ErrorText.INTERVAL_IS_NO_INTEGER,
    ("/subscription/interval", ""): ErrorText.BAD_INTERVAL,
    ("/subscription/depth", "type"): ErrorText.DEPTH_IS_NO_INTEGER,
    ("/subscription/depth", ""): ErrorText.BAD_DEPTH,
}
"""By the place in the message and the schema's keyword, "" standing for any other."""


_UNREADABLE = (FaultKind.MALFORMED, FaultKind.BINARY, FaultKind.TOO_FAST, FaultKind.BROKEN)

_PROBLEMS = {
    ErrorCode.NOT_FOUND: ErrorText.UNKNOWN_METHOD,
    ErrorCode.METHOD_NOT_ALLOWED: ErrorText.UNKNOWN_METHOD,
    ErrorCode.IP_NOT_ALLOWED: ErrorText.PERMISSION_DENIED,
    ErrorCode.FORBIDDEN: ErrorText.PERMISSION_DENIED,
    ErrorCode.UNAUTHORIZED: ErrorText.INVALID_KEY,
    ErrorCode.RATE_LIMITED: ErrorText.RATE_LIMIT,
    ErrorCode.SERVICE_UNAVAILABLE: ErrorText.UNAVAILABLE,
    ErrorCode.INTERNAL_ERROR: ErrorText.INTERNAL_ERROR,
}
"""Any other problem is an invalid argument."""


def error_form(problem: Problem) -> tuple[int, bytes]:
    """A problem over REST in Kraken's envelope, whose status is always 200."""
    text = _PROBLEMS.get(problem.code, ErrorText.INVALID_ARGUMENTS)
    return 200, encode({"error": [text]})


def refusal(text: str, pair: str | None = None, subscription: object = None) -> SubscriptionError:
    """Why there is no subscription; it repeats the request, as far as that is given."""
    refused = SubscriptionError(errorMessage=text, event="subscriptionStatus", status="error")
    if pair is not None:
        refused.pair = pair
    if isinstance(subscription, dict):
        refused.subscription = subscription
    return refused


def error_reply(fault: Fault) -> Mapping[str, object]:
    """The error message for whatever went wrong with a request."""
    text = _text(fault)
    reply: Error | PingStatus | SubscriptionError
    if fault.message == _PING:
        reply = PingStatus(errorMessage=text, event="pingStatus", status="error")
    elif fault.kind in _UNREADABLE or not isinstance(fault.request, dict):
        reply = Error(errorMessage=text, event="error")
    else:
        reply = refusal(text, *_asked(fault.request))
    return reply.model_dump(exclude_unset=True)


def _asked(request: Mapping[str, object]) -> tuple[str | None, object]:
    """The one pair and the subscription of a request, where they can be repeated."""
    pair, subscription = request.get("pair"), request.get("subscription")
    name = pair[0] if isinstance(pair, list) and len(pair) == 1 else None
    is_named = isinstance(subscription, dict) and isinstance(subscription.get("name"), str)
    return name if isinstance(name, str) else None, subscription if is_named else None


def _text(fault: Fault) -> str:
    match fault.kind:
        case FaultKind.REFUSED:
            return fault.text
        case FaultKind.TOO_FAST:
            return ErrorText.TOO_FAST
        case FaultKind.TIMEOUT | FaultKind.HANDLER_FAILED:
            return ErrorText.UNAVAILABLE
        case FaultKind.WRONG_SERVER:
            is_public = (fault.message or "").endswith("Public")
            what = ErrorText.PUBLIC_ELSEWHERE if is_public else ErrorText.PRIVATE_ELSEWHERE
            return f"{what} Try {fault.servers[0]}"
        case FaultKind.UNKNOWN_MESSAGE if isinstance(fault.request, dict):
            return ErrorText.UNKNOWN_EVENT if "event" in fault.request else ErrorText.NO_EVENT
        case FaultKind.INVALID_MESSAGE if isinstance(fault.request, dict):
            return _invalid(fault.details, fault.request)
    return ErrorText.MALFORMED


def _invalid(details: Collection[Detail], request: Mapping[str, object]) -> str:
    """The text for the first fault of which Kraken has words."""
    found = {(detail.path, detail.keyword) for detail in details}
    if any(path == "/reqid" for path, _ in found):
        return ErrorText.BAD_REQID
    if "subscription" not in request and "channelID" not in request:
        return ErrorText.NO_SUBSCRIPTION
    for (path, keyword), text in _TEXTS.items():
        if (path, keyword) in found or (not keyword and any(path == p for p, _ in found)):
            return text
    for path, _ in sorted(found):
        if path.startswith("/pair/"):
            return f"{ErrorText.BAD_PAIR} {_pair_at(request, path)}".rstrip()
    subscription = request.get("subscription")
    if isinstance(subscription, Mapping) and "name" not in subscription:
        return ErrorText.BAD_NAME
    if "pair" not in request and ("", "required") in found:
        return ErrorText.NO_PAIR
    return ErrorText.INVALID_ARGUMENTS


def _pair_at(request: Mapping[str, object], path: str) -> str:
    pairs, index = request.get("pair"), path.removeprefix("/pair/")
    if not isinstance(pairs, list) or not index.isdigit():
        return ""
    pair = pairs[int(index)]
    return pair if isinstance(pair, str) else ""
