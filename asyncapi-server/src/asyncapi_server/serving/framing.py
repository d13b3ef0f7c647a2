"""WebSocket frames from a server (RFC 6455 5.2): unmasked, so one frame serves all clients."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

TEXT = 0x81
"""First byte of a text message in one frame: FIN and opcode 1."""
DEFLATED_TEXT = TEXT | 0x40
"""The same with RSV1: compressed by permessage-deflate (RFC 7692)."""
PONG = 0x8A
"""First byte of a pong: FIN and opcode 10."""
COMPRESSION_LEVEL = 1
"""Fast: an update is small, and compressed once per tick."""

_SHORT = struct.Struct("!BB").pack
_MEDIUM = struct.Struct("!BBH").pack
_LONG = struct.Struct("!BBQ").pack


def frame(first_byte: int, payload: bytes) -> bytes:
    """One whole frame."""
    size = len(payload)
    if size < 126:
        return _SHORT(first_byte, size) + payload
    if size < 65536:
        return _MEDIUM(first_byte, 126, size) + payload
    return _LONG(first_byte, 127, size) + payload


def text_frame(payload: bytes, window_bits: int = 0) -> bytes:
    """The frame of a UTF-8 text message.

    With `window_bits` (9 to 15, as negotiated; 0: no compression) the payload is compressed on
    its own, without the context of earlier messages. That is allowed whatever was
    negotiated, and lets one compressed frame serve all clients.
    """
    if not window_bits:
        return frame(TEXT, payload)
    # Level n of the memory, which has to be cleared, holds 2^(n + 6) bytes in one block.
    memory = min(max(len(payload).bit_length() - 6, 1), zlib.DEF_MEM_LEVEL)
    deflate = zlib.compressobj(COMPRESSION_LEVEL, zlib.DEFLATED, -window_bits, memory)
    data = deflate.compress(payload) + deflate.flush(zlib.Z_SYNC_FLUSH)
    return frame(DEFLATED_TEXT, data[:-4])


def payloads(frames: bytes) -> Iterator[bytes]:
    """The payloads of whole text frames without compression; other frames are left out."""
    at = 0
    while at < len(frames):
        first, size = frames[at], frames[at + 1]
        at += 2
        if size >= 126:
            width = 2 if size == 126 else 8
            size = int.from_bytes(frames[at : at + width])
            at += width
        if first == TEXT:
            yield frames[at : at + size]
        at += size
