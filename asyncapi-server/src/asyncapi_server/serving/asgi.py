"""A second front: serves a router's address as an ASGI application, as Starlette and others run it.

The server below (uvicorn, hypercorn) speaks WebSocket; what it hands over are whole messages. So
pings, compression and the limits on frames are its own: set them there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast
from urllib.parse import parse_qsl

from asyncapi_server.serving.connection import Connection
from asyncapi_server.serving.connections import BaseEndpoint
from asyncapi_server.serving.faults import Fault, FaultKind
from asyncapi_server.serving.framing import payloads
from asyncapi_server.serving.handshake import HandshakeRefused, Opened
from asyncapi_server.serving.outbox import Outbox
from asyncapi_server.serving.pace import Pace
from asyncapi_server.serving.settings import EndpointSettings

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

TOO_BIG, POLICY, TRY_LATER = 1009, 1008, 1013
REFUSED = 1008
"""The code of a handshake that is refused, where the server cannot send an HTTP response."""


class AsgiEndpoint(BaseEndpoint[Scope]):
    """Serves a router's address: `app.routes.append(WebSocketRoute(path, endpoint))`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection from its handshake to its end."""
        if scope["type"] != "websocket":
            raise RuntimeError(f"no WebSocket: {scope['type']!r}. Mount this at a WebSocket route")
        message = await receive()
        if message["type"] != "websocket.connect":
            return
        try:
            opened = await self._opened(scope)
        except HandshakeRefused as error:
            await _refuse(scope, send, error)
            return
        await send({"type": "websocket.accept"})
        line = _Line(send, self._settings)
        try:
            async with self.connected(line.outbox, scope, line.close, opened=opened) as connection:
                await self._read(receive, connection)
        finally:
            await line.finish()

    @staticmethod
    def _peer(request: Scope) -> str:
        host: str = (request.get("client") or ("unknown",))[0]
        return host

    async def _opened(self, scope: Scope) -> Opened:
        """A handshake, held to the channel; raises HandshakeRefused."""
        headers = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in cast("list[tuple[bytes, bytes]]", scope.get("headers", []))
        ]
        for name, value in headers:
            if name.lower() == "origin" and not self._allow_origin(value):
                raise HandshakeRefused(403, "Connections from this origin are not allowed")
        query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        return await self._router.opened(str(scope.get("path", "/")), query, headers, scope)

    async def _read(self, receive: Receive, connection: Connection) -> None:
        """Pass each message to the connection until one side closes."""
        clock = asyncio.get_running_loop().time
        settings = self._settings
        pace = Pace(settings.messages_per_second, settings.message_burst, clock())
        while True:
            message = await receive()
            if message["type"] != "websocket.receive" or connection.closed:
                return
            if not pace.allows(clock()):
                await self._end(connection, FaultKind.TOO_FAST, self._too_fast, POLICY)
                return
            text = message.get("text")
            if text is None:
                what = "Binary messages are not understood: send JSON text"
                connection.fault(Fault(FaultKind.BINARY, what))
            elif self._is_too_long(text):
                await self._end(connection, FaultKind.BROKEN, self._too_long, TOO_BIG)
                return
            else:
                await connection.receive(text)
            # A client has to read its answers before more of its requests are read.
            await connection.writable()


class _Line:
    """The way out of one connection: a transport that hands messages to the server below."""

    def __init__(self, send: Send, settings: EndpointSettings) -> None:
        self._send = send
        self._close_seconds = settings.close_seconds
        self._waiting: list[bytes] = []
        self._bytes = 0
        self._is_closing = False
        self._sending: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self.outbox = Outbox(
            self,
            drained=self._drained,
            give_up=self._give_up,
            high_water=settings.write_buffer_bytes,
            pending_limit=settings.pending_bytes,
            deadline=settings.slow_client_seconds,
        )

    def write(self, data: bytes) -> None:
        """Hand over the messages in whole frames."""
        self._waiting += payloads(data)
        self._bytes += len(data)
        if self._sending is None:
            self._sending = asyncio.get_running_loop().create_task(self._hand_over())

    def get_write_buffer_size(self) -> int:
        """The bytes that are not handed over yet."""
        return self._bytes

    def is_closing(self) -> bool:
        """Whether nothing can be written any more."""
        return self._is_closing

    async def close(self, code: int, reason: str) -> None:
        """Hand over what is written, then close; the first code wins."""
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._close(code, reason))
        await asyncio.shield(self._closing)

    async def finish(self) -> None:
        """Wait a bounded time until everything has been handed over."""
        self.outbox.close()
        self._is_closing = True
        for task in (self._closing, self._sending):
            if task is not None:
                await asyncio.wait({task}, timeout=self._close_seconds)
                task.cancel()

    async def _close(self, code: int, reason: str) -> None:
        self.outbox.close()
        if self._sending is not None:
            await asyncio.wait({self._sending}, timeout=self._close_seconds)
        self._is_closing = True
        try:
            await self._send({"type": "websocket.close", "code": code, "reason": reason})
        except Exception as error:
            log.debug("the connection was closed already: %r", error)

    def _give_up(self, reason: str) -> None:
        self._closing = self._closing or asyncio.get_running_loop().create_task(
            self._close(TRY_LATER, reason)
        )

    async def _hand_over(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                for payload in batch:
                    await self._send({"type": "websocket.send", "text": payload.decode()})
                    self._bytes = max(0, self._bytes - len(payload))
                if not self._waiting:
                    self._bytes = 0
        except Exception as error:  # each server has its own for a client that is gone
            log.debug("the client is gone: %r", error)
            self._is_closing = True
        finally:
            self._sending = None

    async def _drained(self) -> None:
        if self._sending is not None:
            await asyncio.wait({self._sending})
        if self._is_closing:
            raise ConnectionResetError("the client is gone")


async def _refuse(scope: Scope, send: Send, error: HandshakeRefused) -> None:
    """Answer a handshake by HTTP where the server can, else close it."""
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": REFUSED, "reason": str(error)})
        return
    text = str(error).encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    headers += [(name.lower().encode(), value.encode()) for name, value in error.headers.items()]
    await send(
        {"type": "websocket.http.response.start", "status": error.status, "headers": headers}
    )
    await send({"type": "websocket.http.response.body", "body": text})
