"""A server of echo.yaml, written without the router, to be broken in one place at a time."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import WSMsgType, web

from asyncapi_server import load_document
from asyncapi_server.validation import validator
from support.rooms import DOCUMENTS

DOCUMENT = DOCUMENTS / "echo.yaml"
ADDRESS = "/echo"
REQUESTS = {
    message.name: validator(message.schema)
    for message in load_document(DOCUMENT).channels[ADDRESS].receives
}

Dict = dict[str, Any]


class Echo:
    """The service as documented; faulty ones override a step."""

    def __init__(self, ws: web.WebSocketResponse) -> None:
        self.ws = ws
        self.said = 0

    async def message(self, data: str | bytes) -> None:
        """Answer what came in."""
        await self.answer(self.asked(data))

    async def answer(self, answer: Dict) -> None:
        await self.ws.send_str(json.dumps(answer))

    def asked(self, data: str | bytes) -> Dict:
        try:
            request = json.loads(data) if isinstance(data, str) else None
        except (ValueError, RecursionError):
            request = None
        names = [name for name, judge in REQUESTS.items() if self.takes(name, judge, request)]
        answer = self.reply(names[0], request or {}) if names else self.error(request)
        return self.correlated(request, answer)

    def takes(self, name: str, judge: Any, request: Any) -> bool:
        return bool(judge.is_valid(request))

    def reply(self, name: str, request: Dict) -> Dict:
        if name == "say":
            self.said += 1
            return {"is": "said", "text": request["text"]}
        return {"is": "counted", "number": self.said}

    def error(self, request: Any) -> Dict:
        return {"is": "error", "code": "BAD"}

    def correlated(self, request: Any, answer: Dict) -> Dict:
        given = request.get("id") if isinstance(request, dict) else None
        known = isinstance(given, int) and not isinstance(given, bool) and 0 <= given < 2**53
        return {**answer, "id": given} if known else answer


@asynccontextmanager
async def serving(service: type[Echo], *, autoping: bool = True) -> AsyncIterator[str]:
    """A running server; yields the URL of the channel."""

    async def handle(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse(autoping=autoping, max_msg_size=0)
        await ws.prepare(request)
        echo = service(ws)
        async for message in ws:
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                await echo.message(message.data)
        return ws

    application = web.Application()
    application.router.add_get(ADDRESS, handle)
    runner = web.AppRunner(application, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"ws://127.0.0.1:{runner.addresses[0][1]}{ADDRESS}"
    finally:
        await runner.cleanup()
