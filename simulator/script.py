"""Scripted responses to the next requests."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

CUT: Final = 0
"""The status of an aborted connection without a response."""

_BODIES: Final = {
    403: "<html><body><h1>403 Forbidden</h1></body></html>",
    500: '{"code":-1000,"msg":"An unknown error occurred while processing the request."}',
    503: '{"code":-1008,"msg":"Spot server is currently overloaded with other requests. '
    'Please try again in a few minutes."}',
}


@dataclass(slots=True)
class Answer:
    """A scripted response, for `count` requests, or for all of them until a time.

    Status 200 without a body is the usual response, after `delay_s`.
    """

    status: int
    path: str = "/api/"
    retry_after: int | None = None
    body: str | None = None
    delay_s: float = 0.0
    count: int | None = 1
    until: float | None = None

    async def play(self, request: web.Request) -> web.Response | None:
        """Respond to a request; returns None for the usual response."""
        await asyncio.sleep(self.delay_s)
        if self.status == CUT:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=503)  # never sent
        if self.status == 200 and self.body is None:
            return None
        body = self.body if self.body is not None else _BODIES.get(self.status, _BODIES[500])
        kind = "text/html" if body.startswith("<") else "application/json"
        headers = {"Retry-After": str(self.retry_after)} if self.retry_after else None
        return web.Response(status=self.status, text=body, content_type=kind, headers=headers)


class Script:
    """The queue of scripted responses."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._answers: list[Answer] = []
        self._monotonic = monotonic

    def __len__(self) -> int:
        return len(self._answers)

    def order(self, answer: Answer, *, seconds: float | None = None) -> None:
        """Add a response; with `seconds` it applies for this long instead of `count` times."""
        if seconds is not None:
            answer.count, answer.until = None, self._monotonic() + seconds
        self._answers.append(answer)

    def clear(self) -> None:
        """Remove all scripted responses."""
        self._answers.clear()

    def take(self, path: str) -> Answer | None:
        """Return the scripted response to a request, if any."""
        now = self._monotonic()
        self._answers = [a for a in self._answers if a.until is None or a.until > now]
        for answer in self._answers:
            if path.startswith(answer.path):
                if answer.count is not None:
                    answer.count -= 1
                    if answer.count <= 0:
                        self._answers.remove(answer)
                return answer
        return None
