"""Clients that do not read lose outdated updates, then their connection; others lose nothing."""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any

import pytest
from websockets.frames import Frame
from websockets.protocol import CLIENT, OPEN, Protocol

from asyncapi_server import EndpointSettings, Update
from support.rooms import App, ask, raw, receive, rooms_app, until

TIGHT = EndpointSettings(
    write_buffer_bytes=20_000,
    pending_bytes=1_000_000,
    slow_client_seconds=30,
    messages_per_second=10_000,
    message_burst=10_000,
)


def snapshot(room: int, number: int, size: int = 5000) -> bytes:
    return json.dumps({"type": "note", "room": room, "price": number, "text": "x" * size}).encode()


def masked(message: object) -> bytes:
    payload = json.dumps(message).encode()
    head = bytes([0x81, 0x80 | 126]) + struct.pack("!H", len(payload))
    return head + b"\0\0\0\0" + payload


async def join(app: App, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Join room 1 over a bare socket, then stop reading."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(masked({"action": "join", "rooms": [1]}))
    await until(lambda: app.hub.subscribers(1) == 1)


def messages(data: bytes) -> tuple[list[dict[str, Any]], int | None]:
    """The messages in what a client has read, and the code of the close frame."""
    protocol = Protocol(CLIENT, state=OPEN, max_size=None)
    protocol.receive_data(data)
    frames = [event for event in protocol.events_received() if isinstance(event, Frame)]
    texts = [json.loads(bytes(frame.data)) for frame in frames if frame.opcode == 1]
    return texts, protocol.close_rcvd.code if protocol.close_rcvd else None


async def fill(app: App) -> Any:
    """Publish until the one connection does not take more; returns it."""
    (connection,) = [c for c in app.endpoint.connections.values() if app.hub.topics(c)]
    async with asyncio.timeout(10):
        while not connection.outbox.pending_bytes:
            app.hub.publish([Update(1, snapshot(1, -1), "fill")])
            await asyncio.sleep(0)
    return connection


async def test_the_newest_update_survives_and_outdated_ones_are_dropped() -> None:
    async with rooms_app(TIGHT) as app, raw(app) as (reader, writer):
        await join(app, reader, writer)
        connection = await fill(app)
        for number in range(200):
            app.hub.publish([Update(1, snapshot(1, number), key) for key in ("a", "b")])
        connection.send({"type": "history", "room": 1, "notes": ["once"]})
        app.hub.publish([Update(1, snapshot(1, 200), "b")])
        assert connection.outbox.pending_bytes < 20_000
        received = b""
        while b'"price": 200' not in received:
            received += await asyncio.wait_for(reader.read(65536), 5)
        app.hub.unsubscribe(connection, 1)
        rest, _ = await asyncio.gather(asyncio.wait_for(reader.read(), 5), connection.close())
        received += rest
        got, code = messages(received)
        tail = [m.get("price") for m in got if m.get("price") != -1 and m["type"] != "joined"]
        # The newest of "a", the message in its place, and the newest of "b" after the message.
        assert tail == [199, None, 200]
        assert code == 1000


async def test_a_client_that_never_reads_is_closed_with_1013_and_disturbs_nobody() -> None:
    settings = EndpointSettings(
        write_buffer_bytes=20_000, slow_client_seconds=0.3, close_seconds=0.1
    )
    async with rooms_app(settings) as app, raw(app) as (reader, writer):
        await join(app, reader, writer)
        await fill(app)
        async with app.connect() as healthy:
            await ask(healthy, {"action": "join", "rooms": [1]})
            app.hub.publish([Update(1, snapshot(1, 5), "a")])
            assert (await receive(healthy))["price"] == 5
            await until(lambda: len(app.gone) == 1)
            assert (await ask(healthy, {"action": "leave", "room": 1}))["type"] == "left"
        assert not app.hub.watched


async def test_more_waiting_than_allowed_ends_the_connection_at_once() -> None:
    settings = EndpointSettings(
        write_buffer_bytes=20_000, pending_bytes=50_000, close_seconds=0.1, slow_client_seconds=60
    )
    async with rooms_app(settings) as app, raw(app) as (reader, writer):
        await join(app, reader, writer)
        connection = await fill(app)
        for number in range(11):
            app.hub.publish([Update(1, snapshot(1, number), number)])
        assert connection.closed
        assert connection.outbox.pending_bytes == 0
        await until(lambda: app.gone)


async def test_a_close_frame_reaches_a_client_that_reads_again_in_time() -> None:
    settings = EndpointSettings(write_buffer_bytes=20_000, slow_client_seconds=0.1, close_seconds=5)
    async with rooms_app(settings) as app, raw(app) as (reader, writer):
        await join(app, reader, writer)
        connection = await fill(app)
        await until(lambda: connection.closed)
        _, code = messages(await asyncio.wait_for(reader.read(), 5))
        assert code == 1013


async def test_asking_without_reading_the_answers_is_held_back() -> None:
    """The server stops reading from such a client instead of piling up its answers."""
    async with rooms_app(TIGHT) as app, raw(app) as (reader, writer):
        await join(app, reader, writer)
        rooms = list(range(1, 1000))
        sent = 0

        async def keep_asking() -> None:
            nonlocal sent
            while sent < 5000:
                writer.write(masked({"action": "join", "rooms": rooms}))
                await writer.drain()
                sent += 1

        asking = asyncio.ensure_future(keep_asking())
        (connection,) = app.endpoint.connections.values()
        answered = -1
        while connection.messages_received != answered:
            answered = connection.messages_received
            await asyncio.sleep(0.2)
        assert answered < 5000
        assert connection.outbox.pending_bytes <= TIGHT.write_buffer_bytes
        assert not connection.closed
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
