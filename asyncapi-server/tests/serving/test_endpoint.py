"""Connections: what ends them, with which code, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import os
import struct

import aiohttp
import pytest
from aiohttp import WSMsgType

from asyncapi_server import Connection, EndpointSettings
from support.rooms import ask, raw, receive, rooms_app, until


async def closing(ws: aiohttp.ClientWebSocketResponse) -> int | None:
    """The code with which the server closes, whatever it sends before."""
    while (await ws.receive(timeout=5)).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED):
        pass
    return ws.close_code


async def test_a_message_that_is_too_large_closes_with_1009() -> None:
    async with rooms_app(EndpointSettings(max_message_bytes=1000)) as app, app.connect() as ws:
        await ws.send_str(" " * 1001)
        assert await closing(ws) == 1009


async def test_a_compression_bomb_closes_with_1009() -> None:
    async with rooms_app(EndpointSettings(compress=True)) as app, app.connect(compress=15) as ws:
        await ws.send_str("[" * 5_000_000)
        assert await closing(ws) == 1009


async def test_text_that_is_not_utf8_closes_with_1007() -> None:
    async with rooms_app() as app, app.connect() as ws:
        await ws._writer.send_frame(b"\xff\xfe", WSMsgType.TEXT)
        assert await closing(ws) == 1007


async def test_too_many_messages_are_reported_and_closed_with_1008() -> None:
    settings = EndpointSettings(messages_per_second=0.1, message_burst=3)
    async with rooms_app(settings) as app, app.connect() as ws:
        for _ in range(3):
            await ask(ws, {"action": "leave", "room": 1})
        assert (await ask(ws, {"action": "leave", "room": 1}))["code"] == "TOO_FAST"
        assert await closing(ws) == 1008


async def test_ping_frames_are_answered_and_counted() -> None:
    settings = EndpointSettings(messages_per_second=0.1, message_burst=2)
    async with rooms_app(settings) as app, app.connect(autoping=False) as ws:
        for payload in (b"one", b"two"):
            await ws.ping(payload)
            pong = await ws.receive(timeout=5)
            assert (pong.type, bytes(pong.data)) == (WSMsgType.PONG, payload)
        (connection,) = app.endpoint.connections.values()
        assert connection.last_ping is not None
        assert connection.messages_sent == 0
        await ws.ping(b"three")
        assert await closing(ws) == 1008


async def test_a_binary_message_is_refused_and_the_connection_lives_on() -> None:
    async with rooms_app() as app, app.connect() as ws:
        await ws.send_bytes(b"{}")
        assert (await receive(ws))["code"] == "BINARY"
        assert (await ask(ws, {"action": "leave", "room": 1}))["type"] == "left"


async def test_a_silent_client_is_disconnected() -> None:
    settings = EndpointSettings(heartbeat_seconds=0.1)
    async with rooms_app(settings) as app, app.connect(autoping=False, autoclose=False):
        await until(lambda: app.gone)
        assert not app.endpoint.connections


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ("", "", 426),
        ("Upgrade: websocket\r\nConnection: Upgrade\r\n", "", 400),
        ("{upgrade}Origin: https://evil.test\r\n", "", 403),
        ("{upgrade}Content-Length: 5\r\n", "hello", 400),
        ("{upgrade}Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n", 400),
        ("{upgrade}Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n", 400),
        ("{upgrade}Origin: https://good.test\r\n", "", 101),
    ],
)
async def test_an_upgrade_is_refused_for_what_is_wrong_with_it(
    headers: str, body: str, status: int
) -> None:
    def good(origin: str) -> bool:
        return origin == "https://good.test"

    async with rooms_app(allow_origin=good) as app, raw(app, headers, body) as (reader, _):
        line = await asyncio.wait_for(reader.readline(), 5)
        assert int(line.split()[1]) == status


async def test_an_upgrade_of_http_1_0_is_refused() -> None:
    async with rooms_app() as app, raw(app, version="1.0") as (reader, _):
        line = await asyncio.wait_for(reader.readline(), 5)
        assert int(line.split()[1]) == 400


@pytest.mark.parametrize(
    "junk",
    [
        os.urandom(300),
        b"\x81",
        b"\x81\xff" + struct.pack("!Q", 2**63),
        b"\x83\x80\0\0\0\0",
        b"\x08\x80\0\0\0\0",
        b"\x80\x80\0\0\0\0",
        b"\xf1\x80\0\0\0\0",
        b"\x88\x81\0\0\0\0x",
        b"",
    ],
)
async def test_junk_on_the_socket_ends_its_own_connection_only(junk: bytes) -> None:
    async with rooms_app(EndpointSettings(close_seconds=0.2)) as app, app.connect() as healthy:
        async with raw(app) as (reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(junk)
            writer.write_eof()
            # A text with the reason comes first if a frame was invalid, and not just cut short.
            assert (await asyncio.wait_for(reader.read(), 5))[:1] in (b"", b"\x88", b"\x81")
        await until(lambda: len(app.gone) == 1)
        assert (await ask(healthy, {"action": "leave", "room": 1}))["type"] == "left"


async def test_the_server_leaves_with_1001_and_leaves_nothing_behind() -> None:
    before = asyncio.all_tasks()
    async with rooms_app() as app:
        clients = [await app.connect() for _ in range(5)]
        await ask(clients[0], {"action": "join", "rooms": [1]})
        codes = [asyncio.ensure_future(closing(client)) for client in clients]
        await app.endpoint.close_all()
        assert await asyncio.gather(*codes) == [1001] * 5
        await until(lambda: not app.endpoint.connections)
        assert not app.hub.watched
    await asyncio.sleep(0)
    assert asyncio.all_tasks() <= before


async def test_clients_that_vanish_leave_nothing_behind() -> None:
    async with rooms_app() as app:
        tasks = len(asyncio.all_tasks())
        for _ in range(10):
            async with raw(app) as (reader, _):
                await reader.readuntil(b"\r\n\r\n")
        await until(lambda: len(app.gone) == 10 and len(asyncio.all_tasks()) == tasks)
        assert not app.endpoint.connections


async def test_hooks_see_each_connection_come_and_go() -> None:
    seen: list[str] = []

    async def on_connect(connection: Connection) -> None:
        seen.append(connection.id)
        connection.send({"type": "history", "room": 1, "notes": []})

    async with rooms_app(on_connect=[on_connect], client_ip=lambda _: "10.0.0.1") as app:
        async with app.connect() as one, app.connect() as two:
            assert (await receive(one))["type"] == (await receive(two))["type"] == "history"
            assert seen == ["10.0.0.1_1", "10.0.0.1_2"] == list(app.endpoint.connections)
        await until(lambda: sorted(app.gone) == seen)


async def test_a_hook_that_fails_is_logged_and_the_connection_served(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def on_connect(connection: Connection) -> None:
        raise RuntimeError("a broken hook")

    async with rooms_app(on_connect=[on_connect]) as app, app.connect() as ws:
        assert (await ask(ws, {"action": "leave", "room": 1}))["type"] == "left"
    assert "a broken hook" in caplog.text
