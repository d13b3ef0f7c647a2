"""REST: the generated operations over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

import aiohttp

from .codec import M, build, read
from .errors import ConnectionLost, ContractBroken, InvalidCall, RestError
from .generated import REST_BASE_PATH
from .generated.models import ErrorEnvelope
from .generated.rest import RestOperations


class RestClient(RestOperations):
    """Every REST operation as a method.

    A call raises RestError for an error reply, ConnectionLost when there is no reply,
    ContractBroken when it is not as documented and InvalidCall when the request cannot be sent.
    Calls are not retried.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str, seconds: float = 30.0) -> None:
        """`seconds` is the timeout of a call."""
        self._session = session
        self._base = url + REST_BASE_PATH
        self._timeout = aiohttp.ClientTimeout(total=seconds)

    async def _call(
        self,
        method: str,
        path: str,
        names: Mapping[str, str | int],
        query: Mapping[str, object],
        replies: Mapping[int, type[M]],
    ) -> M:
        path = path.format_map({name: _segment(name, value) for name, value in names.items()})
        if self._session.closed:
            raise InvalidCall("The client is closed")
        parameters = {name: _text(value) for name, value in query.items() if value is not None}
        try:
            async with self._session.request(
                method, self._base + path, params=parameters, timeout=self._timeout
            ) as response:
                body = await response.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            reason = str(error) or "no answer in time"
            raise ConnectionLost(f"{method} {path} failed: {reason}") from error
        model = replies.get(response.status)
        if model is not None:
            return build(model, read(body))
        raise RestError(response.status, _answer(body), _seconds(response.headers))


def _segment(name: str, value: object) -> str:
    """A name or number as a segment of a path."""
    if type(value) is int:
        return str(value)
    if isinstance(value, str) and value not in ("", ".", ".."):
        try:
            return quote(value, safe="")
        except UnicodeError:
            pass  # a lone surrogate
    raise InvalidCall(f"{name} must be a name, not {value!r}")


def _answer(body: bytes) -> ErrorEnvelope | None:
    """The server's error; None when the body is not one."""
    try:
        return build(ErrorEnvelope, read(body))
    except ContractBroken:
        return None


def _seconds(headers: Mapping[str, str]) -> float | None:
    text = headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else None


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
