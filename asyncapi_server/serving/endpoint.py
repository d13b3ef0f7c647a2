"""The aiohttp endpoint: upgrades requests, reads frames and closes with codes."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import logging
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType

from aiohttp import HttpVersion11, WebSocketError, WSCloseCode, WSMsgType, web

from asyncapi_server.serving.connection import Connection
from asyncapi_server.serving.deflate import may_compress
from asyncapi_server.serving.faults import Fault, FaultKind
from asyncapi_server.serving.guard import TOO_FAST
from asyncapi_server.serving.hub import Hub
from asyncapi_server.serving.outbox import Outbox
from asyncapi_server.serving.router import Router
from asyncapi_server.serving.settings import EndpointSettings
from asyncapi_server.serving.wire import WebSocket, Wire

log = logging.getLogger(__name__)

MAX_UTF8_BYTES = 4
"""The most bytes of one character."""

Hook = Callable[[Connection], Awaitable[None] | None]


class Endpoint:
    """Serves a router's address to aiohttp: `app.router.add_get(path, endpoint.handle)`."""

    def __init__(
        self,
        router: Router,
        *,
        settings: EndpointSettings | None = None,
        hub: Hub | None = None,
        allow_origin: Callable[[str], bool] = lambda _: True,
        client_ip: Callable[[web.Request], str] = lambda request: request.remote or "unknown",
    ) -> None:
        """`hub` publishes to this endpoint's connections: it drops those that end, and checks what
        it publishes if the router checks what is sent. `allow_origin` gets the Origin header of
        browsers; False refuses with 403."""
        self._router = router
        self._settings = settings or EndpointSettings()
        self.on_connect: list[Hook] = []
        """Called with each new connection, in order."""
        self.on_disconnect: list[Hook] = []
        """Called with each connection that has ended, in order."""
        if hub is not None:
            self.on_disconnect.append(hub.drop)
            if router.checks_sent:
                hub.check = router.check_sent
        self._allow_origin = allow_origin
        self._client_ip = client_ip
        self._connections: dict[str, Connection] = {}
        self._numbers = itertools.count(1)
        self.connections: Mapping[str, Connection] = MappingProxyType(self._connections)
        """The live connections by id."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection from its upgrade to its end."""
        self._refuse(request)
        settings = self._settings
        offers = request.headers.get("Sec-WebSocket-Extensions", "")
        ws = WebSocket(settings, compress=settings.compress and may_compress(offers))
        writer = await ws.prepare(request)
        if request.transport is None:
            return ws
        wire = Wire(ws, request, request.transport, writer, settings)
        try:
            async with self.connected(wire.outbox, request, wire.close, int(ws.compress)) as client:
                wire.on_break = lambda code: self._break(client, code)
                await self._read(ws, client)
        finally:
            await wire.finish()
        return ws

    @asynccontextmanager
    async def connected(
        self,
        outbox: Outbox,
        request: web.Request,
        closer: Callable[[int, str], Awaitable[None]],
        window_bits: int = 0,
    ) -> AsyncIterator[Connection]:
        """One connection from its upgrade, which was `request`, to its end, over any outbox.

        `closer` closes it with a code and a reason; `window_bits` are those of its compression.
        """
        ip = self._client_ip(request)
        connection = Connection(
            self._router,
            outbox,
            request,
            connection_id=f"{ip}_{next(self._numbers)}",
            ip=ip,
            connected_at=time.time(),
            window_bits=window_bits,
            request_timeout=self._settings.request_timeout_seconds,
            closer=closer,
        )
        self._connections[connection.id] = connection
        try:
            await self._call(self.on_connect, connection)
            yield connection
        finally:
            del self._connections[connection.id]
            outbox.close()
            await self._call(self.on_disconnect, connection)

    async def close_all(self, code: int = 1001, reason: str = "the server is going away") -> None:
        """Close all connections concurrently, and wait until the last one is gone."""
        await asyncio.gather(*(c.close(code, reason) for c in list(self._connections.values())))

    def _refuse(self, request: web.Request) -> None:
        """Refuse a request that is no upgrade, has a body, or comes from a foreign origin."""
        if request.version < HttpVersion11:
            raise web.HTTPBadRequest(text="A WebSocket upgrade needs HTTP/1.1")
        if request.headers.get("Upgrade", "").strip().lower() != "websocket":
            raise web.HTTPUpgradeRequired(
                text="This address speaks WebSocket: connect with ws:// or wss://",
                headers={"Upgrade": "websocket", "Connection": "Upgrade"},
            )
        if request.can_read_body or "Transfer-Encoding" in request.headers:
            raise web.HTTPBadRequest(text="A WebSocket upgrade has no body")
        origin = request.headers.get("Origin")
        if origin is not None and not self._allow_origin(origin):
            raise web.HTTPForbidden(text="Connections from this origin are not allowed")

    async def _read(self, ws: web.WebSocketResponse, connection: Connection) -> None:
        """Pass each message to the connection until one side closes."""
        while True:
            message = await ws.receive()
            if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED):
                return
            if message is TOO_FAST:
                rate = self._settings.messages_per_second
                text = f"More than {rate:g} messages per second; connect again and send fewer"
                await self._end(connection, FaultKind.TOO_FAST, text, WSCloseCode.POLICY_VIOLATION)
                return
            if message.type is WSMsgType.ERROR:
                # These were reported to the client before the close.
                if not isinstance(message.data, (WebSocketError, zlib.error)):
                    connection.errors += 1
                log.info("%s: %s", connection, message.data)
                return
            if message.type is WSMsgType.PONG:
                connection.last_ping = time.time()
                continue
            if message.type is WSMsgType.TEXT:
                if self._is_too_long(message.data):
                    await self._end(
                        connection, FaultKind.BROKEN, self._too_long, WSCloseCode.MESSAGE_TOO_BIG
                    )
                    return
                await connection.receive(message.data)
            elif message.type is WSMsgType.PING:
                connection.last_ping = time.time()
                connection.pong(message.data)
            else:
                text = "Binary messages are not understood: send JSON text"
                connection.fault(Fault(FaultKind.BINARY, text))
            # A client has to read its answers before more of its requests are read.
            await connection.writable()

    async def _end(self, connection: Connection, kind: FaultKind, text: str, code: int) -> None:
        """Report a fault to the client, then close with a code."""
        connection.fault(Fault(kind, text))
        await connection.close(code, text)

    def _break(self, connection: Connection, code: int) -> str:
        """Report the fault of a client's frames before the connection closes; returns its text."""
        if code == WSCloseCode.MESSAGE_TOO_BIG:
            text = self._too_long
        elif code == WSCloseCode.INVALID_TEXT:
            text = "A text frame is not UTF-8, or its compressed data is invalid; fix the client"
        else:
            text = "A frame breaks the WebSocket protocol; fix the client"
        connection.fault(Fault(FaultKind.BROKEN, text))
        return text

    def _is_too_long(self, text: str) -> bool:
        """Whether a message exceeds the limit: aiohttp may let through compressed ones that do."""
        limit = self._settings.max_message_bytes
        return len(text) * MAX_UTF8_BYTES > limit and len(text.encode()) > limit

    @property
    def _too_long(self) -> str:
        limit = self._settings.max_message_bytes
        return f"A message is longer than {limit} bytes; connect again and send shorter ones"

    async def _call(self, hooks: Sequence[Hook], connection: Connection) -> None:
        for hook in hooks:
            try:
                result = hook(connection)
                if inspect.isawaitable(result):
                    await result
            except Exception:
                log.exception("%s: a hook failed", connection)
