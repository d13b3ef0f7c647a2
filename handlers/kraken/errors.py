"""What goes wrong, in Kraken's words and form."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from wsrouter import Detail, ErrorPolicy, Fault, FaultKind

Json = dict[str, Any]

MALFORMED = "Malformed request"
TOO_FAST = "Exceeded msg rate"
UNAVAILABLE = "EService:Unavailable"
INVALID_ARGUMENTS = "EGeneral:Invalid arguments"
INVALID_SESSION = "ESession:Invalid session"
NO_EVENT = "Event(s) not found"
UNKNOWN_EVENT = "Unsupported event"
BAD_REQID = "Reqid field must be a positive integer less than 9007199254740992"
NO_PAIR = "Pair(s) not found"
BAD_PAIR = "Currency pair not in ISO 4217-A3 format"
UNKNOWN_PAIR = "Currency pair not supported"
NO_SUBSCRIPTION = "Subscription(s) not found"
BAD_NAME = "Subscription name invalid"
ALREADY_SUBSCRIBED = "Already subscribed"
NOT_SUBSCRIBED = "Subscription Not Found"
TOO_MANY = "Subscription limit exceeded"
PRIVATE_ELSEWHERE = "Private data and trading are unavailable on this endpoint."
PUBLIC_ELSEWHERE = "Public market data is unavailable on this endpoint."

MAX_REQID = 2**53 - 1

STATUS = "subscriptionStatus"
"""The message that tells of every error for which the document has no other."""

_TEXTS: Mapping[tuple[str, str], str] = {
    ("/pair", "type"): "Pair field must be an array",
    ("/pair", ""): NO_PAIR,
    ("/subscription", "type"): "Subscription field must be an object",
    ("/subscription", "additionalProperties"): "Subscription object unsupported field",
    ("/subscription/name", ""): BAD_NAME,
    ("/subscription/interval", "type"): "Subscription ohlc interval must be an integer",
    ("/subscription/interval", ""): "Subscription ohlc interval not supported",
    ("/subscription/depth", "type"): "Subscription book depth must be an integer",
    ("/subscription/depth", ""): "Subscription depth not supported",
}
"""By the place in the message and the schema's keyword, "" standing for any other."""


def elsewhere(what: str, address: str) -> str:
    """The error for a feed that another server has."""
    return f"{what} Try {address}"


def status(request: object, **fields: object) -> Json:
    """A `subscriptionStatus` about a request, with its number."""
    body: Json = {"event": STATUS, **reqid(request), **fields}
    return dict(sorted(body.items()))  # in Kraken's order


def refusal(request: object, text: str, **fields: object) -> Json:
    """The same for an error: it repeats what was asked for."""
    return status(request, errorMessage=text, status="error", **{**_asked(request), **fields})


def reqid(request: object) -> Json:
    """The number of a request, in an object of its own, where it has a valid one."""
    number = request.get("reqid") if isinstance(request, dict) else None
    is_valid = type(number) is int and 0 <= number <= MAX_REQID
    return {"reqid": number} if is_valid else {}


def error_policy(sent: Collection[str]) -> ErrorPolicy:
    """The error messages of a document whose server sends the messages of these names."""

    def reply(fault: Fault) -> Json:
        event, text = _event(fault), _text(fault)
        if event == "error" and event in sent:
            return {"errorMessage": text, "event": event, **reqid(fault.request)}
        if event == "pingStatus" and event in sent:
            number = reqid(fault.request)
            return {"errorMessage": text, "event": event, **number, "status": "error"}
        return refusal(fault.request, text)

    return reply


def _asked(request: object) -> Json:
    """What was asked for, as far as it can be repeated."""
    if not isinstance(request, dict):
        return {}
    found: Json = {}
    pair, subscription = request.get("pair"), request.get("subscription")
    if isinstance(pair, list) and len(pair) == 1 and isinstance(pair[0], str):
        found["pair"] = pair[0]
    if isinstance(subscription, dict) and isinstance(subscription.get("name"), str):
        found["subscription"] = subscription
    return found


def _event(fault: Fault) -> str:
    if fault.message == "ping":
        return "pingStatus"
    if fault.kind in (FaultKind.MALFORMED, FaultKind.BINARY, FaultKind.TOO_FAST, FaultKind.BROKEN):
        return "error"
    is_object = isinstance(fault.request, dict)
    return STATUS if is_object else "error"


def _text(fault: Fault) -> str:
    match fault.kind:
        case FaultKind.REFUSED:
            return fault.text
        case FaultKind.TOO_FAST:
            return TOO_FAST
        case FaultKind.TIMEOUT | FaultKind.HANDLER_FAILED:
            return UNAVAILABLE
        case FaultKind.WRONG_SERVER:
            is_public = (fault.message or "").endswith("Public")
            what = PUBLIC_ELSEWHERE if is_public else PRIVATE_ELSEWHERE
            return elsewhere(what, fault.servers[0])
        case FaultKind.UNKNOWN_MESSAGE if isinstance(fault.request, dict):
            return UNKNOWN_EVENT if "event" in fault.request else NO_EVENT
        case FaultKind.INVALID_MESSAGE if isinstance(fault.request, dict):
            return _invalid(fault.details, fault.request)
    return MALFORMED


def _invalid(details: Collection[Detail], request: Mapping[str, object]) -> str:
    """The text for the first fault of which Kraken has words."""
    found = {(detail.path, detail.keyword) for detail in details}
    if any(path == "/reqid" for path, _ in found):
        return BAD_REQID
    if "subscription" not in request and "channelID" not in request:
        return NO_SUBSCRIPTION
    for (path, keyword), text in _TEXTS.items():
        if (path, keyword) in found or (not keyword and any(path == p for p, _ in found)):
            return text
    for path, _ in sorted(found):
        if path.startswith("/pair/"):
            return f"{BAD_PAIR} {_pair_at(request, path)}".rstrip()
    subscription = request.get("subscription")
    if isinstance(subscription, Mapping) and "name" not in subscription:
        return BAD_NAME
    if "pair" not in request and ("", "required") in found:
        return NO_PAIR
    return INVALID_ARGUMENTS


def _pair_at(request: Mapping[str, object], path: str) -> str:
    pairs, index = request.get("pair"), path.removeprefix("/pair/")
    if not isinstance(pairs, list) or not index.isdigit():
        return ""
    pair = pairs[int(index)]
    return pair if isinstance(pair, str) else ""
