"""Malformed and hostile data on a socket."""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any

import pytest

from server.edge.sockets import SocketLimits
from tests.server.conftest import STREAM, Edge, Start

GET = b"GET /api/v1/tickers/ HTTP/1.1\r\nHost: [::]\r\n"


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def error_of(answer: bytes) -> Any:
    head, body = answer.split(b"\r\n\r\n", 1)
    assert b"candlecast" in head
    assert b"aiohttp" not in answer
    assert b"Python" not in answer
    return json.loads(body)


@pytest.mark.parametrize(
    ("sent", "statuses"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", {400}),
        (b"\x00" * 100 + b"\r\n\r\n", {400}),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", {400}),
        (b"GET\r\n\r\n", {400}),
        (b"GET / HTTP/9.9\r\n\r\n", {400}),
        (b"GET /\xff\xfe HTTP/1.1\r\nHost: [::]\r\n\r\n", {400}),
        (b"GET /\xc3\xa9 HTTP/1.1\r\nHost: [::]\r\n\r\n", {400}),
        (b"GET /%ff HTTP/1.1\r\nHost: [::]\r\n\r\n", {400}),
        (b"GET /%zz HTTP/1.1\r\nHost: [::]\r\n\r\n", {400}),
        (b"GET /% HTTP/1.1\r\nHost: [::]\r\n\r\n", {400}),
        (b"GET /\x00 HTTP/1.1\r\nHost: [::]\r\n\r\n", {400}),
        (b"GET /%00 HTTP/1.1\r\nHost: [::]\r\n\r\n", {404}),
        (b"GET http://[::1/x HTTP/1.1\r\nHost: [::]\r\n\r\n", {400}),
        (b"GET http://h:99999/x HTTP/1.1\r\nHost: [::]\r\n\r\n", {400, 404}),
        (b"GET /../../etc/passwd HTTP/1.1\r\nHost: [::]\r\n\r\n", {404}),
        (b"GET /specs/../../../etc/passwd HTTP/1.1\r\nHost: [::]\r\n\r\n", {404}),
        (b"GET /specs/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: [::]\r\n\r\n", {404}),
        (b"GET //evil.example/%2e HTTP/1.1\r\nHost: [::]\r\n\r\n", {400, 404}),
        (b"GET /a%0d%0aSet-Cookie:%20x HTTP/1.1\r\nHost: [::]\r\n\r\n", {404}),
        (b"OPTIONS * HTTP/1.1\r\nHost: [::]\r\n\r\n", {400, 404, 405}),
        (b"CONNECT h:1 HTTP/1.1\r\nHost: [::]\r\n\r\n", {400, 404, 405}),
        (b"BREW / HTTP/1.1\r\nHost: [::]\r\n\r\n", {400, 405}),
        (GET + b"No colon here\r\n\r\n", {400}),
        (GET + b"Bad Name: x\r\n\r\n", {400}),
        (GET + b"X: a\x00b\r\n\r\n", {400}),
        (GET + b" folded: x\r\n\r\n", {400}),
        (GET + b"Content-Length: -1\r\n\r\n", {400}),
        (GET + b"Content-Length: 1, 2\r\n\r\n", {400}),
        (GET + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", {400}),
        (GET + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
        (GET + b"Transfer-Encoding: gzip\r\n\r\n", {400}),
        (GET + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", {400}),
        (b"GET /api/v1/tickers/ HTTP/1.1\r\nHost: a b/c\r\n\r\n", {400}),
        (GET + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\nab\r\n0\r\n\r\n", {400}),
        (GET + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nab", {415}),
        (b"GET /" + b"a" * 33_000 + b" HTTP/1.1\r\nHost: [::]\r\n\r\n", {431}),
        (GET + b"X: " + b"a" * 9000 + b"\r\n\r\n", {431}),
        (GET + b"".join(b"X%d: 1\r\n" % n for n in range(1000)) + b"\r\n", {400}),
    ],
)
async def test_every_fault_has_the_envelope_and_the_server_lives_on(
    edge: Edge, sent: bytes, statuses: set[int]
) -> None:
    answer = await edge.raw(sent)
    assert status_of(answer) in statuses, answer
    error = error_of(answer)
    assert error["success"] is False
    assert error["error"]
    async with edge.session.get("/api/v1/tickers/") as alive:
        assert alive.status == 200


async def test_http_1_0_and_absolute_forms_are_served(edge: Edge) -> None:
    old = await edge.raw(b"GET /api/v1/tickers/ HTTP/1.0\r\n\r\n")
    assert status_of(old) == 200
    assert old.endswith(b'{"tickers":[]}')
    absolute = await edge.raw(b"GET http://h/api/v1/tickers/ HTTP/1.1\r\nHost: [::]\r\n\r\n")
    assert status_of(absolute) == 200


async def test_a_chunked_body_with_a_trailer_is_read(edge: Edge) -> None:
    answer = await edge.raw(
        b"POST /api/v1/orders HTTP/1.1\r\nHost: [::]\r\nContent-Type: application/json\r\n"
        b'Transfer-Encoding: chunked\r\n\r\n4\r\n{"id\r\n5;x=y\r\n": 7}\r\n0\r\nT: 1\r\n\r\n'
    )
    assert status_of(answer) == 200
    assert answer.endswith(b'{"id":7}')


async def test_a_body_cut_short_harms_nobody(edge: Edge) -> None:
    for head in (b"Content-Length: 100", b"Transfer-Encoding: chunked"):
        _, writer = await asyncio.open_connection("127.0.0.1", edge.port)
        writer.write(b"POST /api/v1/orders HTTP/1.1\r\nHost: [::]\r\n" + head + b"\r\n\r\n5\r\nab")
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.transport.abort()
    async with edge.session.get("/api/v1/tickers/") as alive:
        assert alive.status == 200


async def test_a_request_within_a_body_is_a_body(edge: Edge) -> None:
    inner = GET + b"\r\n"
    smuggling = GET + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(inner) + inner
    answers = await edge.raw(GET + b"\r\n" + smuggling, None)
    assert answers.count(b"HTTP/1.1 200 OK") == 2


async def test_idle_partial_and_dripped_requests_are_ended(start: Start) -> None:
    edge = await start(sockets=SocketLimits(head_deadline_s=0.3))

    async def drip(*parts: bytes) -> bytes:
        """Send parts at intervals; returns the data received until the server closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
        for part in parts:
            if reader.at_eof():
                break
            writer.write(part)
            await asyncio.sleep(0.05)
        received = await reader.read()
        writer.close()
        return received

    async with asyncio.timeout(5):
        idle, partial, dripped, after = await asyncio.gather(
            drip(),
            drip(GET),
            drip(GET, *(b"X-%d: 1\r\n" % n for n in range(60)), b"\r\n"),
            drip(GET + b"\r\n", GET),
        )
    assert idle == partial == dripped == b""
    assert after.count(b"HTTP/1.1 200 OK") == 1


async def test_one_address_holds_so_many_sockets(start: Start) -> None:
    edge = await start(sockets=SocketLimits(per_client=5))
    held = [await asyncio.open_connection("127.0.0.1", edge.port) for _ in range(5)]
    for _, writer in held:
        writer.write(GET)
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    assert await reader.read() == b""
    writer.close()
    reader, writer = held[0]
    writer.write(b"Connection: close\r\n\r\n")
    assert status_of(await reader.read()) == 200
    async with asyncio.timeout(5):
        while True:
            try:
                async with edge.session.get("/api/v1/tickers/") as answer:
                    assert answer.status == 200
                break
            except ConnectionError:
                await asyncio.sleep(0.01)
    for _, writer in held:
        writer.close()


async def test_resets_at_every_stage_are_forgotten(start: Start) -> None:
    """A socket that is reset gives its place back: 60 of them pass through 8 places."""
    edge = await start(sockets=SocketLimits(per_client=8))
    stages = (b"", b"GET", GET, GET + b"\r\n", GET + b"Content-Length: 9\r\n\r\nabc")
    for attempt in range(60):
        async with asyncio.timeout(5):
            _, writer = await asyncio.open_connection("127.0.0.1", edge.port)
            writer.get_extra_info("socket").setsockopt(1, 13, struct.pack("ii", 1, 0))
            writer.write(stages[attempt % len(stages)])
            await asyncio.sleep(0.005)
            writer.transport.abort()
    async with asyncio.timeout(5):
        while True:
            try:
                async with edge.session.get("/api/v1/tickers/") as answer:
                    assert answer.status == 200
                break
            except ConnectionError:
                await asyncio.sleep(0.01)


async def test_a_plain_request_to_the_stream_is_refused(edge: Edge) -> None:
    answer = await edge.raw(b"GET %s HTTP/1.1\r\nHost: [::]\r\n\r\n" % STREAM.encode())
    assert status_of(answer) == 400
    assert error_of(answer)["error_code"] == "INVALID_REQUEST"
    for method in (b"POST", b"HEAD"):
        other = await edge.raw(
            b"%s %s HTTP/1.1\r\nHost: [::]\r\nConnection: close\r\n\r\n"
            % (method, STREAM.encode()),
            None,
        )
        assert status_of(other) in (404, 405)


@pytest.mark.parametrize("path", ["/docs", STREAM, "/api/v1/tickers/"])
async def test_an_unknown_expectation_is_not_an_error_of_another_shape(
    edge: Edge, path: str
) -> None:
    answer = await edge.raw(
        b"GET %s HTTP/1.1\r\nHost: [::]\r\nExpect: a miracle\r\n\r\n" % path.encode()
    )
    assert status_of(answer) in (200, 400)
    assert b"aiohttp" not in answer


async def test_security_headers_are_on_every_answer(edge: Edge) -> None:
    for path in ("/api/v1/tickers/", "/nope", "/docs", "/redoc", "/%ff"):
        answer = await edge.raw(b"GET %s HTTP/1.1\r\nHost: [::]\r\n\r\n" % path.encode())
        head = answer.split(b"\r\n\r\n")[0]
        for line in (
            b"X-Content-Type-Options: nosniff",
            b"X-Frame-Options: DENY",
            b"Server: candlecast",
            b"Content-Security-Policy: default-src 'none'",
        ):
            assert line in head, path
