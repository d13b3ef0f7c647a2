"""The frames of a client, checked before aiohttp reads them (RFC 6455 5, RFC 7692).

aiohttp accepts some frames that the protocol forbids: unmasked ones, reserved close codes, RSV1
on a control frame. It also counts only whole messages, so fragments and pongs would not be
limited. The guard sits between the transport and aiohttp's reader: it checks the header of each
frame, and passes on only the bytes of allowed frames.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from aiohttp import WebSocketError, WSCloseCode, WSMessage, WSMsgType

from asyncapi_server.serving.pace import Pace

TOO_FAST = WSMessage(WSMsgType.ERROR, None, "too fast")
"""Queued after the last frame that the pace allows."""

RSV1 = 0x40
OPCODE = 0x0F
CONTROL = 0x08
"""The bit of an opcode that control frames have in common."""
CLOSE = 0x08
MASKED = 0x80
MASK_BYTES = 4
CODE_BYTES = 2
EXTENDED = {126: 2, 127: 8}
"""Bytes of the length that follow a frame's second byte, by its seven bits."""
REGISTERED_CODES = frozenset({1000, 1001, 1002, 1003, *range(1007, 1015)})
OWN_CODES = range(3000, 5000)
"""Close codes for libraries and applications."""


class Queue(Protocol):
    """The part of aiohttp's queue of messages that is used here."""

    def feed_data(self, data: WSMessage, size: int) -> None: ...
    def set_exception(self, exc: BaseException) -> None: ...


class Reader(Protocol):
    """The part of aiohttp's reader that is used here, as called by its protocol."""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]: ...
    def feed_eof(self) -> None: ...


class FrameGuard:
    """Passes a client's bytes on to `reader` while they follow the protocol and the pace.

    The first frame that breaks the protocol ends the reading: the queue raises a
    `WebSocketError` after the messages before it. The first frame that comes too fast puts
    TOO_FAST into the queue; from then on only close frames pass.
    """

    __slots__ = ("_clock", "_held", "_left", "_muted", "_pace", "_passing", "_queue", "_reader")

    def __init__(
        self, reader: Reader, queue: Queue, pace: Pace, clock: Callable[[], float]
    ) -> None:
        """`clock` returns seconds and is monotonic."""
        self._reader = reader
        self._queue = queue
        self._pace = pace
        self._clock = clock
        self._held = b""
        """The first bytes of a frame whose header is not complete."""
        self._left = 0
        """Bytes of the current frame that are still to come."""
        self._passing = True
        """Whether the current frame passes."""
        self._muted = False

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Check the bytes that arrived and pass on the allowed ones; True ends the reading."""
        data, self._held = self._held + data, b""
        parts: list[bytes] = []
        position = 0
        while position < len(data):
            if not self._left:
                try:
                    size = frame_size(data, position)
                except WebSocketError as error:
                    if not self._read(parts):
                        self._queue.set_exception(error)
                    return True, b""
                if size is None:
                    self._held = data[position:]
                    break
                self._left = size
                self._passing = self._allows(data[position] & OPCODE)
                if not self._passing and not self._muted:
                    self._muted = True
                    if self._read(parts):
                        return True, b""
                    self._queue.feed_data(TOO_FAST, 0)
            end = min(len(data), position + self._left)
            if self._passing:
                parts.append(data[position:end])
            self._left -= end - position
            position = end
        return self._read(parts), b""

    def feed_eof(self) -> None:
        """The client has closed its side."""
        self._reader.feed_eof()

    def _allows(self, opcode: int) -> bool:
        """Whether a frame passes. Each counts towards the pace, except the one that closes."""
        return opcode == CLOSE or (not self._muted and self._pace.allows(self._clock()))

    def _read(self, parts: list[bytes]) -> bool:
        """Pass these bytes on; True when they have ended the reading."""
        data = b"".join(parts)
        parts.clear()
        return bool(data) and self._reader.feed_data(data)[0]


def frame_size(data: bytes, start: int) -> int | None:
    """The size in bytes of the frame that begins at `start`, its header included.

    None while too few bytes have arrived. Raises `WebSocketError` for a frame that a client may
    not send, unless aiohttp's reader refuses it anyway.
    """
    if len(data) < start + 2:
        return None
    first, second = data[start], data[start + 1]
    opcode = first & OPCODE
    if not second & MASKED:
        raise _broken("a client masks its frames")
    if opcode & CONTROL and first & RSV1:
        raise _broken("a control frame is not compressed")
    payload = second & ~MASKED
    extended = EXTENDED.get(payload, 0)
    mask = start + 2 + extended
    body = mask + MASK_BYTES
    needed = body + (CODE_BYTES if opcode == CLOSE and payload >= CODE_BYTES else 0)
    if len(data) < needed:
        return None
    if extended:
        payload = int.from_bytes(data[start + 2 : mask])
    if needed > body:
        code = (data[body] ^ data[mask]) << 8 | data[body + 1] ^ data[mask + 1]
        if not may_close_with(code):
            raise _broken(f"{code} is no code to close with")
    return body - start + payload


def may_close_with(code: int) -> bool:
    """Whether a close frame may have this code (RFC 6455 7.4 and its registry)."""
    return code in REGISTERED_CODES or code in OWN_CODES


def _broken(why: str) -> WebSocketError:
    return WebSocketError(WSCloseCode.PROTOCOL_ERROR, why)
