"""A WebSocket of the exchange, read by picows: what a read brings is handed over at once."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Final, Protocol

import picows
from aiohappyeyeballs import start_connection
from picows import WSCloseCode, WSMsgType

MAX_MESSAGE_BYTES: Final = 2**20
MAX_BATCH: Final = 4096
"""Messages that are handed over at a time; others have their turn before the next ones."""

CONNECT_TIMEOUT_S: Final = 10.0
NEXT_ADDRESS_S: Final = 0.25
"""After so long without an answer another address of the host is tried beside."""

READ_BYTES: Final = 2**16
"""The size of a read at first; it grows with what comes."""

CLOSE_TIMEOUT_S: Final = 2.0
"""How long the exchange may take to close a connection that this side closes."""

_TEXT: Final = WSMsgType.TEXT

_log = logging.getLogger(f"{__name__}.picows")
_log.setLevel(logging.CRITICAL)  # what it has to say is the reason that `on_end` gets


class Refused(ConnectionError):
    """The exchange answered the request for a WebSocket with another status than 101."""

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.headers = headers


class Receiver(Protocol):
    """Who gets what comes. The calls come from the event loop and must neither block nor raise."""

    def on_messages(self, messages: list[bytes]) -> None:
        """Messages that came together."""

    def on_ping(self, payload: bytes) -> None:
        """A ping, which is to be answered."""

    def on_pong(self) -> None:
        """The answer to a ping."""

    def on_end(self, reason: str) -> None:
        """Nothing comes any more."""


class Socket(Protocol):
    """A WebSocket of the exchange, as its owner uses it."""

    def send(self, message: bytes) -> None:
        """Send a text, unless the connection is lost."""

    def ping(self) -> None:
        """Send a ping, unless the connection is lost."""

    def pong(self, payload: bytes) -> None:
        """Answer a ping, unless the connection is lost."""

    def pause(self) -> None:
        """Read nothing until `resume`."""

    def resume(self) -> None:
        """Read on."""

    async def close(self) -> None:
        """Hand over what has come, and close the connection."""


async def connect(url: str, receiver: Receiver) -> Socket:
    """Open a WebSocket at an address of `ws`, `wss`, `http` or `https`.

    Raises Refused, TimeoutError and OSError.
    """
    listener = _Listener(receiver)
    try:
        await _open(re.sub("^http", "ws", url), listener)
    except BaseException:
        listener.give_up()
        raise
    return listener


async def _open(url: str, listener: _Listener) -> None:
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            await picows.ws_connect(
                lambda: listener,
                url,
                websocket_handshake_timeout=CONNECT_TIMEOUT_S,
                enable_auto_pong=False,
                max_frame_size=MAX_MESSAGE_BYTES,
                read_buffer_init_size=READ_BYTES,
                socket_factory=_reach,
                use_aiofastnet=False,
                logger_name=_log,
            )
    except picows.WSHandshakeError as error:
        if error.response is not None and error.response.status != HTTPStatus.SWITCHING_PROTOCOLS:
            raise Refused(error.response.status, error.response.headers) from None
        raise ConnectionError(f"the answer opens no WebSocket: {error}") from None
    except OSError:  # that of a certificate is a ValueError, too
        raise
    except (picows.WSError, ValueError) as error:
        raise ConnectionError(f"the address cannot be one of a WebSocket: {error}") from None


async def _reach(url: picows.WSParsedURL) -> socket.socket:
    """A connection to the first address of a host that answers, be it of IPv4 or IPv6."""
    loop = asyncio.get_running_loop()
    addresses = await loop.getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)
    return await start_connection(
        addresses, happy_eyeballs_delay=NEXT_ADDRESS_S, interleave=1, loop=loop
    )


class _Listener(picows.WSListener):
    """Joins frames to messages, and reads to batches."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._messages: list[bytes] = []
        self._parts: list[bytes] = []
        """Of a message that is not at its end."""
        self._parts_size = 0
        """Their bytes, an empty one counted as one."""
        self._is_over = False
        """Whether `on_end` was called, or nothing is to be handed over any more."""
        self._is_paused = self._is_busy = False
        """Whether reading was paused, and whether messages of a read are left for their turn."""
        self._reads = True
        self._is_made = False

    # As picows calls it --------------------------------------------------------------------------

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        self._transport = transport
        self._is_made = True
        if self._is_over:  # given up meanwhile
            transport.disconnect(graceful=False)
        self._ended = asyncio.create_task(self._wait_for_end())

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:  # noqa: ARG002
        if (
            frame.msg_type is _TEXT
            and frame.fin
            and not (self._parts or frame.rsv1 or frame.rsv2 or frame.rsv3)
        ):
            self._messages.append(frame.get_payload_as_bytes())
        else:
            self._take_unusual(frame)
        if frame.last_in_buffer:
            self._hand_over()

    # As its owner uses it ------------------------------------------------------------------------

    def send(self, message: bytes) -> None:
        self._transport.send(WSMsgType.TEXT, message)

    def ping(self) -> None:
        self._transport.send_ping()

    def pong(self, payload: bytes) -> None:
        self._transport.send_pong(payload)

    def pause(self) -> None:
        self._is_paused = True
        self._regulate()

    def resume(self) -> None:
        self._is_paused = False
        self._regulate()

    async def close(self) -> None:
        self._hand_over_all()
        self._is_over = True
        self.resume()
        self._transport.send_close(WSCloseCode.OK)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await asyncio.shield(self._ended)
        finally:
            self._transport.disconnect(graceful=False)

    def give_up(self) -> None:
        """Let a connection go that is not in use, be it made or not."""
        self._is_over = True
        if self._is_made:
            self._transport.disconnect(graceful=False)

    # Between the two -----------------------------------------------------------------------------

    def _take_unusual(self, frame: picows.WSFrame) -> None:
        """Take a frame that is no whole message of text."""
        kind, payload = frame.msg_type, frame.get_payload_as_bytes()
        if self._is_over:
            if kind is WSMsgType.CLOSE:
                self._transport.disconnect()
        elif frame.rsv1 or frame.rsv2 or frame.rsv3:
            self._refuse(WSCloseCode.PROTOCOL_ERROR, "a reserved bit is set in a frame")
        elif kind is WSMsgType.PING:
            self._receiver.on_ping(payload)
        elif kind is WSMsgType.PONG:
            self._receiver.on_pong()
        elif kind is WSMsgType.CLOSE:
            code, reason = int.from_bytes(payload[:2], "big"), payload[2:].decode(errors="replace")
            self._transport.send_close(WSCloseCode.OK)
            self._end(f"the exchange closed it with code {code} {reason}".strip())
        elif (kind is WSMsgType.CONTINUATION) != bool(self._parts):
            self._refuse(WSCloseCode.PROTOCOL_ERROR, "a frame continues no message, or breaks one")
        else:
            self._parts.append(payload)
            self._parts_size += len(payload) or 1
            if self._parts_size > MAX_MESSAGE_BYTES:
                self._refuse(
                    WSCloseCode.MESSAGE_TOO_BIG, f"one has more than {MAX_MESSAGE_BYTES} bytes"
                )
            elif frame.fin:
                self._messages.append(b"".join(self._parts))
                self._parts.clear()
                self._parts_size = 0

    def _hand_over(self) -> None:
        """Hand over what was read, in turns with everybody else where it is much."""
        if self._is_over:
            self._messages.clear()
            return
        messages, self._messages = self._messages[:MAX_BATCH], self._messages[MAX_BATCH:]
        if self._messages:
            asyncio.get_running_loop().call_soon(self._hand_over)
        self._is_busy = bool(self._messages)
        self._regulate()
        if messages:
            self._receiver.on_messages(messages)

    def _hand_over_all(self) -> None:
        while self._messages:
            self._hand_over()

    def _regulate(self) -> None:
        """Read, or do not."""
        reads = not (self._is_paused or self._is_busy)
        transport = self._transport.underlying_transport
        if reads is self._reads or transport.is_closing():
            return
        self._reads = reads
        if reads:
            transport.resume_reading()
        else:
            transport.pause_reading()

    def _refuse(self, code: WSCloseCode, reason: str) -> None:
        """End the connection because of what came."""
        self._transport.send_close(code)
        self._end(f"its messages cannot be read: {reason}")

    def _end(self, reason: str) -> None:
        """Hand over what has come, say why it ends, and let the connection go."""
        if self._is_over:
            return
        self._hand_over_all()
        self._is_over = True
        self._transport.disconnect()
        self._receiver.on_end(reason)

    async def _wait_for_end(self) -> None:
        try:
            await self._transport.wait_disconnected()
        except Exception as error:  # of picows, about a frame
            self._end(f"its messages cannot be read: {error}")
        else:
            self._end("it was cut")
