"""Requests over the exchange's WebSocket: parsing, validation and error replies."""

import re
from dataclasses import dataclass
from typing import Final

import orjson

from simulator.klines import INTERVALS

METHODS: Final = (
    "SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY",
)  # fmt: skip
MAX_ID_LENGTH: Final = 36

FIGURES: Final = re.compile(
    r"miniTicker|ticker|kline_(?P<interval>" + "|".join(INTERVALS) + r")(?P<zone>@\+08:00)?"
)
"""Streams of figures that are made each second, after the symbol and its `@`."""

_STREAM = re.compile(
    rf"[^\WA-Z]{{1,20}}@(aggTrade|trade|bookTicker|{FIGURES.pattern})|!serverShutdown"
)


class RequestError(Exception):
    """A request that is refused with an error code from 0 to 3."""

    def __init__(self, code: int, message: str, request_id: object = None) -> None:
        super().__init__(message)
        self.code = code
        self.request_id = request_id

    def answer(self) -> dict[str, object]:
        """Return the error's message."""
        known = {} if self.request_id is None else {"id": self.request_id}
        return {"code": self.code, "msg": str(self), **known}


@dataclass(frozen=True, slots=True)
class Request:
    """A well-formed request; `params` may be empty for LIST_SUBSCRIPTIONS only."""

    method: str
    params: list[object]
    id: object

    def streams(self) -> list[str]:
        """Return the parameters as stream names."""
        names = [name for name in self.params if isinstance(name, str) and is_stream(name)]
        if len(names) < len(self.params):
            raise RequestError(2, "Invalid request: unknown stream", self.id)
        return names


def is_stream(name: str) -> bool:
    """Return whether this is the name of a stream, for any symbol."""
    return _STREAM.fullmatch(name) is not None


def parse(text: str) -> Request:
    """Parse a request, or refuse it with the exchange's error text."""
    try:
        request = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise RequestError(
            3, f"Invalid JSON: expected value at line {error.lineno} column {error.colno}"
        ) from None
    if not isinstance(request, dict):
        raise RequestError(2, "Invalid request: expected an object")
    request_id, method = request.get("id"), request.get("method")
    if not _is_request_id(request_id):
        raise RequestError(2, "Invalid request: request ID must be an unsigned integer")
    unknown = set(request) - {"method", "params", "id"}
    if unknown:
        raise RequestError(2, f"Invalid request: unknown field `{min(unknown)}`", request_id)
    if method is None:
        raise RequestError(2, "Invalid request: missing field `method`", request_id)
    if method not in METHODS:
        names = ", ".join(f"`{name}`" for name in METHODS)
        raise RequestError(
            2, f"Invalid request: unknown variant `{method}`, expected one of {names}", request_id
        )
    params = request.get("params", [])
    if not isinstance(params, list) or (not params and method != "LIST_SUBSCRIPTIONS"):
        raise RequestError(2, "Invalid request: missing field `params`", request_id)
    return Request(method, params, request_id)


def _is_request_id(value: object) -> bool:
    """Accept an unsigned integer, a string of at most 36 characters, or null."""
    if value is None or (isinstance(value, str) and len(value) <= MAX_ID_LENGTH):
        return True
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
