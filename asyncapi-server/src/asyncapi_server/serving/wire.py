"""An aiohttp WebSocket with one outgoing path and a close that is bounded in time."""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Callable
from typing import cast

from aiohttp import WSCloseCode, web
from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader
from aiohttp._websocket.writer import WebSocketWriter
from aiohttp.abc import AbstractStreamWriter

from asyncapi_server.serving.guard import FrameGuard
from asyncapi_server.serving.outbox import Outbox
from asyncapi_server.serving.pace import Pace
from asyncapi_server.serving.settings import EndpointSettings

log = logging.getLogger(__name__)

BREAKS = frozenset(
    {
        WSCloseCode.PROTOCOL_ERROR,
        WSCloseCode.UNSUPPORTED_DATA,
        WSCloseCode.INVALID_TEXT,
        WSCloseCode.MESSAGE_TOO_BIG,
    }
)
"""The codes with which aiohttp closes because of what a client sent."""

MAX_REASON_BYTES = 123
"""The longest reason of a close frame (RFC 6455 5.5)."""


class WebSocket(web.WebSocketResponse):
    """aiohttp's WebSocket with a guard of its frames and a hook before it closes."""

    before_close: Callable[[int], str] | None = None
    """Called with the code, returns the reason; what it sends leaves before the close frame."""

    def __init__(self, settings: EndpointSettings, *, compress: bool) -> None:
        """`compress` is whether permessage-deflate is accepted."""
        super().__init__(
            # aiohttp refuses messages of this size already.
            max_msg_size=settings.max_message_bytes + 1,
            compress=compress,
            heartbeat=settings.heartbeat_seconds,
            timeout=settings.close_seconds,
            autoping=False,
        )
        clock = asyncio.get_running_loop().time
        self._pace = Pace(settings.messages_per_second, settings.message_burst, clock())
        self._clock = clock

    def _post_start(
        self, request: web.BaseRequest, protocol: str | None, writer: WebSocketWriter
    ) -> None:
        """Put the guard before aiohttp's reader, also for bytes that came with the upgrade."""
        handler = request.protocol
        early, handler._message_tail = handler._message_tail, b""
        super()._post_start(request, protocol, writer)
        reader, queue = cast(WebSocketReader, self._parser), cast(WebSocketDataQueue, self._reader)
        handler._payload_parser = FrameGuard(reader, queue, self._pace, self._clock)
        if early:
            handler.data_received(early)

    async def close(
        self, *, code: int = WSCloseCode.OK, message: bytes = b"", drain: bool = True
    ) -> bool:
        """Close with a code, which is 1007 if the client's compressed data is invalid."""
        if isinstance(self.exception(), zlib.error):
            code = WSCloseCode.INVALID_TEXT
        if self.before_close is not None:
            message = message or close_reason(self.before_close(code))
        return await super().close(code=code, message=message, drain=drain)


def close_reason(text: str) -> bytes:
    """As much of a text as fits into a close frame."""
    return text.encode()[:MAX_REASON_BYTES].decode(errors="ignore").encode()


class Wire:
    """A WebSocket, its transport, and the outbox through which all messages leave.

    aiohttp itself writes ping and close frames only, each in one piece, so frames never mix.
    """

    def __init__(
        self,
        ws: WebSocket,
        request: web.Request,
        transport: asyncio.Transport,
        writer: AbstractStreamWriter,
        settings: EndpointSettings,
    ) -> None:
        """`writer` and `transport` are those of the upgraded request."""
        self._ws = ws
        self._request = request
        self._transport = transport
        self._writer = writer
        self._close_seconds = settings.close_seconds
        self._closing: asyncio.Task[None] | None = None
        self._draining: asyncio.Task[None] | None = None
        transport.set_write_buffer_limits(high=settings.write_buffer_bytes)
        self.outbox = Outbox(
            transport,
            drained=self._drained,
            give_up=self._give_up,
            high_water=settings.write_buffer_bytes,
            pending_limit=settings.pending_bytes,
            deadline=settings.slow_client_seconds,
        )
        # Nothing may follow a close frame, whoever sends it.
        self.on_break: Callable[[int], str] = lambda _: ""
        """Called with the code before a close that the frames of the client caused; the reason."""
        ws.before_close = self._before_close

    async def close(self, code: int, reason: str) -> None:
        """Run the closing handshake; a client that does not take part is cut off in time."""
        await asyncio.shield(self._close_once(code, reason))

    async def finish(self) -> None:
        """Wait until everything has been written and the handshake, if any, is over."""
        self.outbox.close()
        if self._closing is not None:
            await asyncio.wait({self._closing})
        await self._flush()

    def _before_close(self, code: int) -> str:
        caused = self._closing is None and code in BREAKS
        reason = self.on_break(code) if caused else ""
        self.outbox.close()
        return reason

    def _give_up(self, reason: str) -> None:
        """Close a connection whose client does not read, without waiting for the close."""
        log.info("closing %s: %s", self._transport.get_extra_info("peername"), reason)
        self._close_once(WSCloseCode.TRY_AGAIN_LATER, reason)

    def _close_once(self, code: int, reason: str) -> asyncio.Task[None]:
        """The one task that closes: the first code wins, and `finish` waits for it."""
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._close(code, reason))
        return self._closing

    async def _close(self, code: int, reason: str) -> None:
        try:
            async with asyncio.timeout(self._close_seconds):
                await self._ws.close(code=code, message=close_reason(reason), drain=False)
        except TimeoutError:
            log.debug("the closing handshake took too long")
        await self._flush()

    async def _flush(self) -> None:
        """Wait a bounded time for the last bytes to leave, then abort."""
        if self._request.transport is None:
            return
        # With a buffer limit of 0, drained means that everything has left.
        self._transport.set_write_buffer_limits(high=0)
        try:
            async with asyncio.timeout(self._close_seconds):
                await self._drained()
        except (TimeoutError, ConnectionError):
            self._transport.abort()

    async def _drained(self) -> None:
        """Wait until the transport takes more, or is lost."""
        # All waiters share one future of aiohttp's: one that stops waiting must not cancel it.
        if self._draining is None or self._draining.done():
            self._draining = asyncio.get_running_loop().create_task(self._writer.drain())
        await asyncio.shield(self._draining)
