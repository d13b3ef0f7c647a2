"""The time before the end, in which no client may connect anew."""

from __future__ import annotations

from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from generated.native.facts import ErrorCode
from handlers.problem import Problem
from server.edge.answers import answer

_AGAIN_SECONDS: Final = 5

_GOING_AWAY: Final = Problem(
    503,
    ErrorCode.SERVICE_UNAVAILABLE,
    "The server is going away",
    f"It is about to stop: connect to another one, or again in {_AGAIN_SECONDS} seconds",
)


class Drain:
    """Refuses WebSocket connections once it is on."""

    def __init__(self) -> None:
        self.is_on = False

    def guarded(self, handler: Handler) -> Handler:
        """A handler of connections that refuses them with 503 while the drain is on."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            if self.is_on:
                return answer(request, _GOING_AWAY, {hdrs.RETRY_AFTER: str(_AGAIN_SECONDS)})
            return await handler(request)

        return guarded
