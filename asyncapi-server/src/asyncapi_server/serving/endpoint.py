"""The aiohttp endpoint: upgrades requests, reads frames and closes with codes."""

from __future__ import annotations

import logging
import time
import zlib

from aiohttp import HttpVersion11, WebSocketError, WSCloseCode, WSMsgType, web

from asyncapi_server.serving.connection import Connection
from asyncapi_server.serving.connections import BaseEndpoint
from asyncapi_server.serving.deflate import may_compress
from asyncapi_server.serving.faults import Fault, FaultKind
from asyncapi_server.serving.guard import TOO_FAST
from asyncapi_server.serving.handshake import HandshakeRefused, Opened
from asyncapi_server.serving.wire import WebSocket, Wire

log = logging.getLogger(__name__)

_REFUSALS = {
    each.status_code: each
    for each in (web.HTTPBadRequest, web.HTTPNotFound, web.HTTPUnauthorized, web.HTTPForbidden)
}
"""The HTTP errors of handshakes, by status."""


class Endpoint(BaseEndpoint[web.Request]):
    """Serves a router's address to aiohttp: `app.router.add_get(path, endpoint.handle)`."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection from its upgrade to its end."""
        self._refuse(request)
        opened = await self._opened(request)
        settings = self._settings
        offers = request.headers.get("Sec-WebSocket-Extensions", "")
        ws = WebSocket(settings, compress=settings.compress and may_compress(offers))
        writer = await ws.prepare(request)
        if request.transport is None:
            return ws
        wire = Wire(ws, request, request.transport, writer, settings)
        try:
            async with self.connected(
                wire.outbox, request, wire.close, int(ws.compress), opened
            ) as client:
                wire.on_break = lambda code: self._break(client, code)
                await self._read(ws, client)
        finally:
            await wire.finish()
        return ws

    @staticmethod
    def _peer(request: web.Request) -> str:
        return request.remote or "unknown"

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

    async def _opened(self, request: web.Request) -> Opened:
        """A request, held to the channel; raises the HTTP error of one that is refused."""
        query, headers = request.query.items(), request.headers.items()
        try:
            return await self._router.opened(request.path, query, headers, request)
        except HandshakeRefused as error:
            raise _REFUSALS[error.status](text=str(error), headers=error.headers) from error

    async def _read(self, ws: web.WebSocketResponse, connection: Connection) -> None:
        """Pass each message to the connection until one side closes."""
        while True:
            message = await ws.receive()
            if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED):
                return
            if message is TOO_FAST:
                text, code = self._too_fast, WSCloseCode.POLICY_VIOLATION
                await self._end(connection, FaultKind.TOO_FAST, text, code)
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
                # aiohttp may let through compressed ones that are too long.
                if self._is_too_long(message.data):
                    text, code = self._too_long, WSCloseCode.MESSAGE_TOO_BIG
                    await self._end(connection, FaultKind.BROKEN, text, code)
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
