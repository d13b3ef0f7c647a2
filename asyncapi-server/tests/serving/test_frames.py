"""Frames that a client may not send, split at any byte, and their effects."""

from __future__ import annotations

import asyncio
import os
import re
import struct
import zlib
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

import pytest
from aiohttp import WebSocketError, WSMessage
from hypothesis import given
from hypothesis import strategies as st

from asyncapi_server import EndpointSettings
from asyncapi_server.serving.deflate import may_compress
from asyncapi_server.serving.guard import TOO_FAST, FrameGuard
from asyncapi_server.serving.pace import Pace
from support.rooms import raw, rooms_app, until

TEXT, CLOSE, PING, PONG = 0x81, 0x88, 0x89, 0x8A
MASK = b"\x11\x22\x33\x44"
LEAVE = b'{"action": "leave", "room": 1}'


def frame(first: int, payload: bytes = b"", mask: bytes = MASK) -> bytes:
    """A frame of a client; without a mask when `mask` is empty."""
    masked = 0x80 if mask else 0
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", first, masked | size)
    elif size < 65536:
        head = struct.pack("!BBH", first, masked | 126, size)
    else:
        head = struct.pack("!BBQ", first, masked | 127, size)
    if mask:
        payload = bytes(b ^ mask[i % 4] for i, b in enumerate(payload))
    return head + mask + payload


def close(code: int) -> bytes:
    return frame(CLOSE, struct.pack("!H", code))


async def end_of(
    sent: bytes, *, settings: EndpointSettings | None = None, extensions: str = ""
) -> tuple[int | None, list[bytes]]:
    """The code with which the server closes after these bytes, and the texts before it.

    The bytes are sent with the upgrade, so those that arrive before the server has answered it
    are checked too.
    """
    head = "{upgrade}" + (f"Sec-WebSocket-Extensions: {extensions}\r\n" if extensions else "")
    async with rooms_app(settings) as app, raw(app, head) as (reader, writer):
        writer.write(sent)
        async with asyncio.timeout(10):
            await reader.readuntil(b"\r\n\r\n")
            return await frames_until_close(reader)


async def frames_until_close(reader: asyncio.StreamReader) -> tuple[int | None, list[bytes]]:
    texts: list[bytes] = []
    while True:
        first, size = await reader.readexactly(2)
        if size == 126:
            (size,) = struct.unpack("!H", await reader.readexactly(2))
        payload = await reader.readexactly(size)
        if first == CLOSE:
            return (struct.unpack("!H", payload[:2])[0] if payload else None), texts
        if first & 0x0F == 1:
            texts.append(inflate(payload) if first & 0x40 else payload)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        pytest.param(frame(TEXT, LEAVE, mask=b""), 1002, id="unmasked text"),
        pytest.param(frame(PING, b"x", mask=b""), 1002, id="unmasked ping"),
        pytest.param(frame(CLOSE, b"\x03\xe8", mask=b""), 1002, id="unmasked close"),
        *(
            pytest.param(close(code), 1002, id=f"close {code}")
            for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)
        ),
        *(
            pytest.param(close(code), 1000, id=f"close {code}")
            for code in (1000, 1001, 1003, 1011, 1014, 3000, 4999)
        ),
        pytest.param(frame(PING | 0x40, b"x"), 1002, id="RSV1 on a ping"),
        pytest.param(frame(CLOSE | 0x40, b"\x03\xe8"), 1002, id="RSV1 on a close"),
        pytest.param(frame(TEXT | 0x40, b"\xff\xff\xff\xff"), 1007, id="no deflated data"),
        pytest.param(frame(TEXT | 0x40, LEAVE), 1007, id="RSV1 on plain text"),
        pytest.param(frame(0x01, b"{") + frame(TEXT, b"}"), 1002, id="a message in a message"),
    ],
)
async def test_a_frame_that_breaks_the_protocol_closes_with_its_code(
    sent: bytes, code: int
) -> None:
    found, texts = await end_of(
        frame(TEXT, LEAVE) + sent,
        settings=EndpointSettings(compress=True),
        extensions="permessage-deflate",
    )
    assert found == code
    if code == 1000:
        assert len(texts) == 1
    else:
        assert len(texts) == 2, "the message before it is answered, and the fault named"


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(frame(PONG) * 2000, id="pongs"),
        pytest.param(frame(PING) * 2000, id="pings"),
        pytest.param(frame(0x01, b"") + frame(0x00, b"") * 2000, id="empty fragments"),
        pytest.param(frame(TEXT, LEAVE) * 2000, id="messages"),
    ],
)
async def test_every_frame_counts_towards_the_pace(sent: bytes) -> None:
    settings = EndpointSettings(messages_per_second=1, message_burst=20)
    code, texts = await end_of(sent + close(1000), settings=settings)
    assert code == 1008
    assert b"TOO_FAST" in texts[-1]


async def test_the_close_frame_of_a_client_at_its_limit_is_answered() -> None:
    settings = EndpointSettings(messages_per_second=0.001, message_burst=3)
    assert (await end_of(frame(PONG) * 3 + close(1000), settings=settings))[0] == 1000


@pytest.mark.parametrize("deflated", [False, True])
@pytest.mark.parametrize(("size", "code"), [(1000, 1000), (1001, 1009)])
async def test_the_longest_message_is_as_long_as_documented(
    size: int, code: int, deflated: bool
) -> None:
    text = LEAVE + b" " * (size - len(LEAVE))
    sent = frame(TEXT | 0x40, deflate(text)) if deflated else frame(TEXT, text)
    settings = EndpointSettings(max_message_bytes=1000, compress=True)
    found, texts = await end_of(
        sent + close(1000), settings=settings, extensions="permessage-deflate"
    )
    assert found == code
    assert (b"BROKEN" in texts[0]) == (code == 1009), texts


@pytest.mark.parametrize(
    ("offer", "agreed"),
    [
        ("permessage-deflate", True),
        ("permessage-deflate; client_max_window_bits", True),
        ("permessage-deflate; client_max_window_bits=10; server_max_window_bits=12", True),
        ("permessage-deflate; server_no_context_takeover; client_no_context_takeover", True),
        ("x-other; a=1, permessage-deflate", True),
        ("permessage-deflate; server_no_context_takeover; server_no_context_takeover", False),
        ("permessage-deflate; client_max_window_bits; client_max_window_bits=10", False),
        ("permessage-deflate; server_max_window_bits", False),
        ("permessage-deflate; server_max_window_bits=7", False),
        ("permessage-deflate; server_max_window_bits=012", False),
        ("permessage-deflate; client_max_window_bits=16", False),
        ("permessage-deflate; server_no_context_takeover=1", False),
        ("permessage-deflate; unknown", False),
    ],
)
async def test_compression_is_agreed_to_only_when_its_parameters_are_valid(
    offer: str, agreed: bool
) -> None:
    assert may_compress(offer) == agreed
    head = "{upgrade}" + f"Sec-WebSocket-Extensions: {offer}\r\n"
    async with rooms_app(EndpointSettings(compress=True)) as app, raw(app, head) as (reader, _):
        answer = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).decode()
    assert " 101 " in answer.splitlines()[0]
    assert bool(re.search("(?im)^sec-websocket-extensions:", answer)) == agreed


def deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


def inflate(data: bytes) -> bytes:
    return zlib.decompressobj(wbits=-15).decompress(data + b"\0\0\xff\xff")


class Reader:
    """Records the bytes that pass."""

    def __init__(self) -> None:
        self.read = b""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self.read += data
        return False, b""

    def feed_eof(self) -> None:
        raise AssertionError("nobody closes")


class Queue:
    """Records what the guard itself queues."""

    def __init__(self) -> None:
        self.queued: list[str] = []

    def feed_data(self, data: WSMessage, size: int) -> None:
        assert (data, size) == (TOO_FAST, 0)
        self.queued.append("too fast")

    def set_exception(self, exc: BaseException) -> None:
        assert isinstance(exc, WebSocketError)
        self.queued.append(str(exc))


class Guarded(NamedTuple):
    read: bytes
    queued: list[str]


def guarded(chunks: Iterable[bytes], burst: int = 1000) -> Guarded:
    """The output of a guard whose clock stands still, up to its first fault."""
    reader, queue = Reader(), Queue()
    guard = FrameGuard(reader, queue, Pace(1.0, burst, 0.0), lambda: 0.0)
    for chunk in chunks:
        if guard.feed_data(chunk)[0]:
            break
    return Guarded(reader.read, queue.queued)


FRAMES = st.one_of(
    st.builds(
        frame,
        st.sampled_from([0x00, 0x01, 0x80, TEXT, 0xC1, PING, PONG]),
        st.binary(max_size=300),
        st.binary(min_size=4, max_size=4),
    ),
    st.builds(close, st.sampled_from([1000, 1001, 3000])),
)
BAD = st.sampled_from([frame(TEXT, b"x", mask=b""), frame(PONG | 0x40), close(1006)])


@given(good=st.lists(FRAMES, max_size=8), bad=st.lists(BAD, max_size=1), cuts=st.randoms())
def test_the_cut_of_the_bytes_changes_nothing(good, bad, cuts) -> None:  # type: ignore[no-untyped-def]
    sent = b"".join(good + bad + [frame(PONG)] * len(bad))
    edges = sorted({0, len(sent), *(cuts.randint(0, len(sent)) for _ in range(6))})
    log = guarded(sent[a:b] for a, b in pairwise(edges))
    assert log.read == b"".join(good)
    assert len(log.queued) == len(bad)


@given(
    sent=st.lists(st.sampled_from([PING, PONG, TEXT, 0x00, CLOSE]), max_size=30),
    burst=st.integers(1, 10),
)
def test_the_pace_admits_its_burst_and_close_frames(sent: list[int], burst: int) -> None:
    log = guarded([b"".join(frame(first) for first in sent)], burst)
    counted = [first for first in sent if first != CLOSE]
    passed = len(log.read) // len(frame(PING))
    assert passed == min(len(counted), burst) + sent.count(CLOSE)
    assert len(log.queued) == (len(counted) > burst)


@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_end_the_reading(junk: bytes) -> None:
    whole = guarded([junk])
    byte_by_byte = guarded(bytes([b]) for b in junk)
    assert whole == byte_by_byte
    assert junk.startswith(whole.read)


async def test_a_flood_of_pongs_ends_its_connection() -> None:
    settings = EndpointSettings(messages_per_second=20, message_burst=40, close_seconds=0.5)
    async with rooms_app(settings) as app, raw(app) as (_, writer):
        flood = frame(PONG, os.urandom(125)) * 1000
        async with asyncio.timeout(20):
            try:
                while True:
                    writer.write(flood)
                    await writer.drain()
            except ConnectionError:
                pass
        await until(lambda: not app.endpoint.connections)
