"""WebSockets against a server of bare frames, the hostile ones included."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.binance import websocket
from ingest.binance.websocket import MAX_BATCH, MAX_MESSAGE_BYTES, Refused, connect

from .support import until

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG, FIN, RSV1 = 0x1, 0x2, 0x8, 0x9, 0xA, 0x80, 0x40


def frame(payload: bytes, first_byte: int = FIN | TEXT) -> bytes:
    """A frame as a server sends it: without a mask."""
    size = len(payload)
    if size < 126:
        return bytes([first_byte, size]) + payload
    if size < 2**16:
        return bytes([first_byte, 126]) + size.to_bytes(2, "big") + payload
    return bytes([first_byte, 127]) + size.to_bytes(8, "big") + payload


class Recorder:
    """Notes what comes."""

    def __init__(self) -> None:
        self.batches: list[list[bytes]] = []
        self.pings: list[bytes] = []
        self.pongs = 0
        self.reasons: list[str] = []

    @property
    def messages(self) -> list[bytes]:
        return [message for batch in self.batches for message in batch]

    def on_messages(self, messages: list[bytes]) -> None:
        self.batches.append(messages)

    def on_ping(self, payload: bytes) -> None:
        self.pings.append(payload)

    def on_pong(self) -> None:
        self.pongs += 1

    def on_end(self, reason: str) -> None:
        self.reasons.append(reason)


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def accepted(request: bytes) -> bytes:
    """The answer to a request for a WebSocket."""
    lines = request.split(b"\r\n")
    [key] = [line[19:] for line in lines if line.lower().startswith(b"sec-websocket-key: ")]
    accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


@asynccontextmanager
async def serving(
    serve: Serve, *, is_silent: bool = False, tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """A server that does as it is asked once it has accepted."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        if not is_silent:
            writer.write(accepted(request))
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/stream"


def sending(data: bytes) -> Serve:
    """Send this, and wait for the other side to close."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        while (answer := await reader.read(2**16)) and answer[0] != FIN | CLOSE:
            pass

    return serve


async def received(data: bytes, count: int) -> Recorder:
    """What comes of these bytes, once there are `count` messages or it has ended."""
    recorder = Recorder()
    async with serving(sending(data)) as url:
        socket = await connect(url, recorder)
        await until(lambda: len(recorder.messages) >= count or recorder.reasons)
        await socket.close()
    return recorder


@given(st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=20), st.data())
async def test_messages_come_whole_and_in_order_however_they_are_cut(
    messages: list[bytes], data: st.DataObject
) -> None:
    sent = b""
    for message in messages:
        cuts = sorted(data.draw(st.lists(st.integers(0, len(message)), max_size=3)))
        parts = [message[a:b] for a, b in zip([0, *cuts], [*cuts, len(message)], strict=True)]
        for at, part in enumerate(parts):
            opcode = TEXT if at == 0 else 0
            sent += frame(part, opcode | (FIN if at == len(parts) - 1 else 0))
            sent += frame(b"p", FIN | PING) if data.draw(st.booleans()) else b""
    recorder = await received(sent, len(messages))
    assert recorder.messages == messages


async def test_a_flood_comes_in_order_in_bounded_batches_with_turns_between() -> None:
    count = 5 * MAX_BATCH
    recorder, turns = Recorder(), 0
    sent = b"".join(frame(b"%d" % number) for number in range(count))

    async with serving(sending(sent)) as url:
        socket = await connect(url, recorder)
        async with asyncio.timeout(10):
            while len(recorder.messages) < count:
                turns += 1
                await asyncio.sleep(0)
        await socket.close()
    assert recorder.messages == [b"%d" % number for number in range(count)]
    assert max(map(len, recorder.batches)) <= MAX_BATCH
    assert turns >= 3


async def test_a_paused_socket_reads_nothing_until_it_is_resumed() -> None:
    recorder = Recorder()
    go = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await go.wait()
        await sending(frame(b"late"))(reader, writer)

    async with serving(serve) as url:
        socket = await connect(url, recorder)
        socket.pause()
        go.set()
        await asyncio.sleep(0.1)
        assert recorder.messages == []
        socket.resume()
        await until(lambda: recorder.messages == [b"late"])
        await socket.close()


async def test_pings_pongs_and_requests_go_both_ways() -> None:
    recorder = Recorder()
    seen = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(frame(b"", FIN | PING) + frame(b"171", FIN | PING) + frame(b"", FIN | PONG))
        while (data := await reader.read(2**16)) and data[0] != FIN | CLOSE:
            seen.extend(data)

    async with serving(serve) as url:
        socket = await connect(url, recorder)
        await until(lambda: recorder.pongs)
        assert recorder.pings == [b"", b"171"]
        socket.pong(b"171")
        socket.ping()
        socket.send(b"{}")
        await until(lambda: len(seen) >= 9 + 6 + 8)
        await socket.close()
    first_bytes = [seen[0], seen[9], seen[15]]
    assert first_bytes == [FIN | PONG, FIN | PING, FIN | TEXT]


GOOD = frame(b"good")
TOO_LONG = MAX_MESSAGE_BYTES + 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (frame(b"", FIN | CLOSE), "the exchange closed it with code 0"),
        (frame(b"\x03\xe9bye", FIN | CLOSE), "the exchange closed it with code 1001 bye"),
        (frame(b"\x10\x68", FIN | CLOSE), "the exchange closed it with code 4200"),
        (frame(b"\x00\x07", FIN | CLOSE), "cannot be read"),
        (frame(b"x", FIN | RSV1 | TEXT), "a reserved bit"),
        (frame(b"x", FIN | RSV1 | PING), "a reserved bit"),
        (frame(b"x", FIN | 0x3), "invalid opcode"),
        (frame(b"x", PING), "fragmented control frame"),
        (frame(b"x" * 126, FIN | PING), "control frame with payload size > 125"),
        (b"\x81\x81\x00\x00\x00\x00x", "masked frame"),
        (frame(b"x", FIN), "continues no message"),
        (frame(b"x", TEXT) + frame(b"y"), "breaks one"),
        (b"\x81\x7f" + (2**40).to_bytes(8, "big"), "exceeding max allowed size"),
        (b"\x81\x7f" + b"\xff" * 8, "invalid 64-bit payload length"),
        (frame(b"[" * 2**19, TEXT) + frame(b"[" * 2**19, 0) + frame(b"[", 0), "more than 1048576"),
    ],
)
async def test_a_connection_ends_for_a_reason_and_hands_over_what_came_before(
    data: bytes, reason: str
) -> None:
    recorder = await received(GOOD + data, 2)
    assert recorder.messages == [b"good"]
    [said] = recorder.reasons
    assert reason in said


async def test_a_message_of_countless_empty_parts_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(websocket, "MAX_MESSAGE_BYTES", 1000)
    recorder = await received(frame(b"", TEXT) + frame(b"", 0) * 1000, 1)
    [reason] = recorder.reasons
    assert "more than 1000 bytes" in reason


async def test_a_message_of_the_greatest_size_comes_whole_as_text_or_bytes() -> None:
    message = b"[" * MAX_MESSAGE_BYTES
    recorder = await received(frame(message) + frame(message, FIN | BINARY), 2)
    assert recorder.messages == [message] * 2


async def test_a_cut_is_said_once() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GOOD + GOOD[:3])

    recorder = Recorder()
    async with serving(serve) as url:
        socket = await connect(url, recorder)
        await until(lambda: recorder.reasons)
        await socket.close()
    assert (recorder.messages, recorder.reasons) == ([b"good"], ["it was cut"])


async def test_a_server_that_does_not_close_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "CLOSE_TIMEOUT_S", 0.1)
    recorder = Recorder()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(serve) as url:
        socket = await connect(url, recorder)
        async with asyncio.timeout(5):
            await socket.close()
    assert recorder.reasons == []


async def test_a_server_that_does_not_answer_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "CONNECT_TIMEOUT_S", 0.1)
    left = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        left.set()

    async with serving(serve, is_silent=True) as url:
        with pytest.raises(TimeoutError):
            await connect(url, Recorder())
        async with asyncio.timeout(5):
            await left.wait()


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        (b"HTTP/1.1 418 I'm a teapot\r\nRetry-After: 7\r\n\r\n", Refused, "status 418"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Refused, "status 200"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", ConnectionError, "opens no WebSocket"),
        (b"nonsense\r\n\r\n", ConnectionError, "opens no WebSocket"),
        (b"HTTP/1.1 101 " + b"x" * 20_000, ConnectionError, "opens no WebSocket"),
    ],
)
async def test_another_answer_is_an_error(answer: bytes, error: type[Exception], text: str) -> None:
    async with serving(sending(answer), is_silent=True) as url:
        with pytest.raises(error, match=text):
            await connect(url, Recorder())


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "ws://", "ws://127.0.0.1:99999", "ws://[::1"])
async def test_an_address_that_cannot_be_one_is_an_error(url: str) -> None:
    with pytest.raises(OSError, match=r"address"):
        await connect(url, Recorder())


async def test_any_address_of_a_host_will_do() -> None:
    """`localhost` is an address of IPv6, too, on which nothing listens here."""
    recorder = Recorder()
    async with serving(sending(GOOD)) as url:
        socket = await connect(url.replace("127.0.0.1", "localhost"), recorder)
        await until(lambda: recorder.messages == [b"good"])
        await socket.close()


async def test_a_certificate_has_to_be_of_an_authority_that_is_trusted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    certificate = Path(__file__).parent / "localhost.pem"
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    recorder = Recorder()
    async with serving(sending(GOOD * 1000), tls=tls) as url:
        url = url.replace("ws://127.0.0.1", "wss://localhost")
        with pytest.raises(ssl.SSLCertVerificationError):
            await connect(url, recorder)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        socket = await connect(url, recorder)
        await until(lambda: recorder.messages == [b"good"] * 1000)
        await socket.close()
