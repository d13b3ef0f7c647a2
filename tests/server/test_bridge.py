"""Plain ASGI applications behind aiohttp, through real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientPayloadError, ClientSession, web

from handlers.native.errors import error_form
from server.edge.answers import ErrorForms
from server.edge.bridge import AsgiApp, BodyLimits, Bridge, Message, Receive, Scope, Send
from server.edge.headers import expect_nothing
from tests.server.conftest import Edge, serve

START: Message = {"type": "http.response.start", "status": 200, "headers": []}


def application(handle: Any) -> AsgiApp:
    """A function of (scope, receive, send) for HTTP as an application with a plain lifespan."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await handle(scope, receive, send)
            return
        for step in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{step}.complete"})

    return app


@asynccontextmanager
async def bridged(app: AsgiApp, limits: BodyLimits | None = None) -> AsyncIterator[Edge]:
    bridge = Bridge(app, limits)
    outer = web.Application(middlewares=[ErrorForms(error_form, {}).middleware])
    outer.cleanup_ctx.append(bridge.lifespan)
    outer.router.add_route("*", "/{path:.*}", bridge.handle, expect_handler=expect_nothing)
    async with (
        serve(outer) as (port, runner),
        ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        yield Edge(port, session, runner)


async def read_all(receive: Receive) -> tuple[bytes, int]:
    """The body, and in how many parts it came."""
    body, parts, more = b"", 0, True
    while more:
        message = await receive()
        assert message["type"] == "http.request"
        body += message["body"]
        more = message["more_body"]
        parts += 1
    return body, parts


async def answer_with(send: Send, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    await send({**START, "headers": [(b"content-length", b"%d" % len(body)), *headers]})
    await send({"type": "http.response.body", "body": body})


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    body, _ = await read_all(receive)
    length = dict(scope["headers"]).get(b"content-length", b"none")
    coded = b"chunked" if b"transfer-encoding" in dict(scope["headers"]) else b"plain"
    await answer_with(send, body, (b"x-length", length), (b"x-coded", coded))


async def test_the_scope_is_what_the_client_sent() -> None:
    seen: list[Scope] = []

    async def keep(scope: Scope, _receive: Receive, send: Send) -> None:
        seen.append(scope)
        await answer_with(send, b"")

    async with bridged(application(keep)) as edge:
        await edge.raw(
            b"PATCH /a%2Fb/%C3%A9?x=%31&y HTTP/1.1\r\nHost: [::]\r\nX-Twice: 1\r\nx-twice: 2\r\n"
            b"Connection: close\r\n\r\n"
        )
    (scope,) = seen
    assert (scope["method"], scope["http_version"], scope["scheme"]) == ("PATCH", "1.1", "http")
    assert scope["path"] == "/a/b/é"
    assert scope["raw_path"] == b"/a%2Fb/%C3%A9"
    assert scope["query_string"] == b"x=%31&y"
    assert scope["root_path"] == ""
    assert (b"x-twice", b"1") in scope["headers"]
    assert (b"x-twice", b"2") in scope["headers"]
    assert scope["client"] == ("127.0.0.1", 0)
    assert scope["server"] == ("127.0.0.1", edge.port)


@pytest.mark.parametrize("size", [0, 1, 65_536])
async def test_bodies_arrive_whole(size: int) -> None:
    sent = bytes(i % 251 for i in range(size))
    async with bridged(application(echo)) as edge:
        async with edge.session.post("/", data=sent) as answer:
            assert await answer.read() == sent
            assert answer.headers["X-Length"] == str(size)

        async def parts() -> AsyncIterator[bytes]:
            for at in range(0, size, 5000):
                yield sent[at : at + 5000]

        async with edge.session.post("/", data=parts()) as answer:
            assert await answer.read() == sent
            if size:
                assert answer.headers["X-Length"] == str(size)
                assert answer.headers["X-Coded"] == "plain"


async def test_bodies_beyond_the_bound_are_413() -> None:
    called = False

    async def never(_scope: Scope, _receive: Receive, _send: Send) -> None:
        nonlocal called
        called = True

    async with bridged(application(never), BodyLimits(max_bytes=10)) as edge:
        announced = await edge.raw(b"POST / HTTP/1.1\r\nHost: [::]\r\nContent-Length: 11\r\n\r\n")
        dripped = await edge.raw(
            b"POST / HTTP/1.1\r\nHost: [::]\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"6\r\nabcdef\r\n6\r\nabcdef\r\n"
        )
    for answer in (announced, dripped):
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b'"error_code":"INVALID_REQUEST"' in answer
    assert not called


async def test_a_body_that_comes_too_slowly_is_408() -> None:
    async with bridged(application(echo), BodyLimits(read_deadline_s=0.05)) as edge:
        for head in (b"Content-Length: 5", b"Transfer-Encoding: chunked"):
            answer = await edge.raw(b"POST / HTTP/1.1\r\nHost: [::]\r\n" + head + b"\r\n\r\n1\r\na")
            assert answer.startswith(b"HTTP/1.1 408 ")


async def test_a_body_is_invited_only_when_it_is_wanted() -> None:
    async def choosy(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/wanted":
            await echo(scope, receive, send)
        else:
            await answer_with(send, b"no")

    head = b" HTTP/1.1\r\nHost: [::]\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    async with bridged(application(choosy)) as edge:
        wanted = await edge.raw(b"POST /wanted" + head + b"ok")
        assert wanted.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
        unwanted = await edge.raw(b"POST /unwanted" + head)
        assert unwanted.startswith(b"HTTP/1.1 200 OK\r\n")


async def test_an_application_learns_that_its_client_has_gone() -> None:
    learned = asyncio.Event()

    async def wait(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        assert (await receive())["type"] == "http.disconnect"
        with pytest.raises(OSError, match="gone"):
            await answer_with(send, b"too late")
        learned.set()

    async with bridged(application(wait)) as edge:
        _, writer = await asyncio.open_connection("127.0.0.1", edge.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: [::]\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.transport.abort()
        async with asyncio.timeout(5):
            await learned.wait()


async def test_an_application_that_waits_for_the_end_freezes_nobody() -> None:
    """The trap of other bridges: `receive` after the body has to end with the answer."""

    async def listen(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        listener = asyncio.create_task(receive_end(receive))
        if scope["path"] == "/slow":
            await asyncio.sleep(0.3)
        await answer_with(send, b"done")
        assert await listener == "http.disconnect"

    async def receive_end(receive: Receive) -> str:
        kind: str = (await receive())["type"]
        return kind

    async def get(edge: Edge, path: str) -> bytes:
        async with edge.session.get(path) as answer:
            return await answer.read()

    async with bridged(application(listen)) as edge, asyncio.timeout(5):
        slow = asyncio.create_task(get(edge, "/slow"))
        assert await get(edge, "/") == b"done"
        assert not slow.done()
        assert await slow == b"done"


async def stream_three(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send(START)
    for part in (b"one,", b"two,", b"three"):
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body"})


async def test_answers_are_streamed_in_every_version_of_http() -> None:
    async with bridged(application(stream_three)) as edge:
        async with edge.session.get("/") as answer:
            assert answer.headers["Transfer-Encoding"] == "chunked"
            assert await answer.read() == b"one,two,three"
        old = await edge.raw(b"GET / HTTP/1.0\r\n\r\n", None)
        assert b"chunked" not in old
        assert old.endswith(b"\r\n\r\none,two,three")
        head = await edge.raw(b"HEAD / HTTP/1.1\r\nHost: [::]\r\nConnection: close\r\n\r\n", None)
        assert head.endswith(b"\r\n\r\n")


async def test_requests_on_one_connection_are_answered_in_order() -> None:
    async def name(scope: Scope, _receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.05 if scope["path"] == "/1" else 0)
        await answer_with(send, scope["path"].encode())

    async with bridged(application(name)) as edge:
        answers = await edge.raw(
            b"".join(
                b"GET /%d HTTP/1.1\r\nHost: [::]\r\n\r\n" % n for n in range(1, 40)
            )  # more than aiohttp takes in at once
            + b"GET /40 HTTP/1.1\r\nHost: [::]\r\nConnection: close\r\n\r\n",
            None,
        )
    assert [int(part.split(b"\r\n\r\n/")[1]) for part in answers.split(b"HTTP/1.1 200 OK")[1:]] == [
        *range(1, 41)
    ]


async def test_an_application_that_fails_before_it_answers_is_500() -> None:
    async def crash(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise RuntimeError("secret")

    async def mute(_scope: Scope, _receive: Receive, _send: Send) -> None:
        """Answers nothing."""

    for handle in (crash, mute):
        async with bridged(application(handle)) as edge, edge.session.get("/") as answer:
            assert answer.status == 500
            text = await answer.text()
            assert '"error_code":"INTERNAL_ERROR"' in text
            assert "secret" not in text


async def test_an_answer_that_breaks_off_is_seen_to_be_broken() -> None:
    async def crash(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send(START)
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError("secret")

    async with bridged(application(crash)) as edge:
        answer = await edge.session.get("/")
        with pytest.raises(ClientPayloadError):
            await answer.read()


async def test_a_client_that_does_not_read_is_cut_off() -> None:
    cut = asyncio.Event()

    async def flood(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send(START)
        part = {"type": "http.response.body", "body": b"x" * 1_000_000, "more_body": True}
        try:
            while True:
                await send(part)
        except OSError:
            cut.set()

    async with bridged(application(flood), BodyLimits(write_deadline_s=0.1)) as edge:
        _, writer = await asyncio.open_connection("127.0.0.1", edge.port, limit=1)
        writer.write(b"GET / HTTP/1.1\r\nHost: [::]\r\n\r\n")
        async with asyncio.timeout(10):
            await cut.wait()
        writer.transport.abort()


async def test_a_client_that_reads_no_small_answers_is_cut_off() -> None:
    """Each is taken by the transport at once, until too much of them waits there."""
    cut = asyncio.Event()

    async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
        try:
            await answer_with(send, b"x" * 20_000)
        except OSError:
            cut.set()

    async with bridged(application(answer), BodyLimits(write_deadline_s=0.1)) as edge:
        _, writer = await asyncio.open_connection("127.0.0.1", edge.port, limit=1)
        writer.write(b"GET / HTTP/1.1\r\nHost: [::]\r\n\r\n" * 2_000)
        async with asyncio.timeout(10):
            await cut.wait()
        writer.transport.abort()


async def test_the_lifespan_gives_requests_their_state_and_ends() -> None:
    steps: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await answer_with(send, scope["state"]["name"].encode())
            return
        scope["state"]["name"] = "shared"
        for step in ("startup", "shutdown"):
            steps.append((await receive())["type"])
            await send({"type": f"lifespan.{step}.complete"})

    async with bridged(app) as edge, edge.session.get("/") as answer:
        assert await answer.text() == "shared"
        assert steps == ["lifespan.startup"]
    assert steps == ["lifespan.startup", "lifespan.shutdown"]


async def test_a_failure_at_start_stops_the_start() -> None:
    async def crash(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise KeyError("no handler for get_health")

    async def refuse(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    async def silent(_scope: Scope, _receive: Receive, _send: Send) -> None:
        """Ends without a word."""

    with pytest.raises(KeyError, match="get_health"):
        async with bridged(crash):
            pass
    with pytest.raises(RuntimeError, match="no database"):
        async with bridged(refuse):
            pass
    with pytest.raises(RuntimeError, match="no reason"):
        async with bridged(silent):
            pass
