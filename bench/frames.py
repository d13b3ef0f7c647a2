"""A minimal reader of a server's WebSocket frames that only counts, to keep the load cheap."""

from __future__ import annotations

import struct

FIN = 0x80
COMPRESSED = 0x40
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10

_SIZE16 = struct.Struct("!H").unpack_from
_SIZE64 = struct.Struct("!Q").unpack_from


class Frames:
    """Counts the text messages in a stream of unmasked frames."""

    __slots__ = ("_rest", "closed", "kept", "marker", "pings", "unmarked")

    def __init__(self, *, keep: bool = False) -> None:
        """`keep` collects the messages, as (compressed, payload)."""
        self.kept: list[tuple[bool, bytes]] | None = [] if keep else None
        self.marker = b""
        """Bytes that each message has to contain; compressed ones are not checked."""
        self.unmarked = 0
        """The number of messages without the marker."""
        self.pings: list[bytes] = []
        """Payloads of unanswered pings; cleared by the owner."""
        self.closed = False
        self._rest = b""

    def feed(self, data: bytes) -> int:  # noqa: C901 - one loop, kept flat for speed
        """Parse the next bytes; returns the number of text messages that they complete."""
        if self._rest:
            data = self._rest + data
        at, end, count = 0, len(data), 0
        while end - at >= 2:
            first, size = data[at], data[at + 1]
            head = at + 2
            if size == 126:
                if end - at < 4:
                    break
                (size,) = _SIZE16(data, head)
                head += 2
            elif size == 127:
                if end - at < 10:
                    break
                (size,) = _SIZE64(data, head)
                head += 8
            stop = head + size
            if stop > end:
                break
            if first & 0x0F == TEXT:
                count += 1
                if self.marker and not first & COMPRESSED:
                    self.unmarked += data.find(self.marker, head, stop) < 0
                if self.kept is not None:
                    self.kept.append((bool(first & COMPRESSED), data[head:stop]))
            else:
                self._control(first & 0x0F, data[head:stop])
            at = stop
        self._rest = data[at:]
        return count

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self.pings.append(payload)
        elif opcode == CLOSE:
            self.closed = True


def masked(opcode: int, payload: bytes) -> bytes:
    """A client's frame with an all-zero mask, which does not change the payload."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", FIN | opcode, 0x80 | size)
    elif size < 65536:
        head = struct.pack("!BBH", FIN | opcode, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", FIN | opcode, 0x80 | 127, size)
    return head + b"\0\0\0\0" + payload
