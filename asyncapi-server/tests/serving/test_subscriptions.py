"""Subscriptions: from the accepted request to the last update, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession, web

from asyncapi_server import Connection, Endpoint, First, Hub, Router, Subscriptions, encode
from support.rooms import ROOMS, ask, error_reply, receive, room_update, until

BROKEN, SILENT = 7, 8


class Rooms:
    """A source of rooms, and the handlers that subscribe to them."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.subscriptions: Subscriptions[int] = Subscriptions(
            self.hub, lambda _: self, self.refuse
        )
        self.opened: list[int] = []
        self.closed: list[int] = []
        self.asked: list[tuple[int, int]] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.is_ready = True
        self.connections: list[Connection] = []

    def open(self, topic: int) -> None:
        self.opened.append(topic)

    def close(self, topic: int) -> None:
        self.closed.append(topic)

    async def first(self, topic: int, size: int) -> First | None:
        self.asked.append((topic, size))
        await self.may_answer.wait()
        if topic == BROKEN:
            raise RuntimeError("the history is broken")
        if topic == SILENT:
            return None
        return First(history(topic, size if self.is_ready else 0), not self.is_ready)

    def refuse(self, connection: Connection, topic: int, error: Exception) -> None:
        assert isinstance(error, RuntimeError)
        connection.send({"type": "error", "code": "FAILED", "text": str(topic), "details": []})

    async def on_join(self, connection: Connection, message: Any) -> object:
        for room in message["rooms"]:
            self.subscriptions.add(connection, room, size=2)
        return {"type": "joined", "rooms": message["rooms"]}

    async def on_leave_room(self, connection: Connection, message: Any) -> object:
        self.subscriptions.remove(connection, message["room"])
        return {"type": "left", "room": message["room"]}


def history(room: int, notes: int) -> bytes:
    return encode({"type": "history", "room": room, "notes": ["old"] * notes})


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[Rooms, Any]]:
    rooms = Rooms()
    router = Router(ROOMS, "/rooms", rooms, error_reply=error_reply, check_outgoing=True)
    endpoint = Endpoint(router, hub=rooms.hub)
    endpoint.on_connect.append(rooms.connections.append)
    application = web.Application()
    application.router.add_get("/rooms", endpoint.handle)
    runner = web.AppRunner(application, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/rooms"
    try:
        async with ClientSession() as session:
            yield rooms, lambda: session.ws_connect(url)
    finally:
        await endpoint.close_all()
        await runner.cleanup()


async def join(ws: Any, *rooms: int) -> None:
    assert (await ask(ws, {"action": "join", "rooms": list(rooms)}))["type"] == "joined"


async def test_the_first_message_follows_the_reply_and_updates_follow_it() -> None:
    async with serving() as (rooms, connect), connect() as ws:
        rooms.may_answer.clear()
        await join(ws, 1)
        await until(lambda: rooms.asked == [(1, 2)])
        assert rooms.hub.publish([room_update(1, "too early")]) == 0
        rooms.may_answer.set()
        assert (await receive(ws))["notes"] == ["old", "old"]
        rooms.hub.publish([room_update(1, "new")])
        assert (await receive(ws))["text"] == "new"


async def test_a_source_is_open_while_a_topic_has_subscribers() -> None:
    async with serving() as (rooms, connect):
        async with connect() as one, connect() as two:
            await join(one, 1, 2)
            await join(two, 1)
            assert (rooms.opened, rooms.closed) == ([1, 2], [])
            assert (rooms.subscriptions.total, rooms.subscriptions.subscribers(1)) == (3, 2)
            while (await ask(one, {"action": "leave", "room": 1}))["type"] != "left":
                pass
            assert rooms.closed == []
        await until(lambda: sorted(rooms.closed) == [1, 2])
        assert rooms.subscriptions.total == 0
        assert not rooms.hub.watched


async def test_a_provisional_first_message_is_sent_again_once_it_can_be() -> None:
    async with serving() as (rooms, connect), connect() as ws, connect() as gone:
        rooms.is_ready = False
        await join(ws, 1)
        await join(gone, 1)
        assert (await receive(ws))["notes"] == (await receive(gone))["notes"] == []
        rooms.hub.publish([room_update(1, "live")])
        assert (await receive(ws))["text"] == "live"
        await gone.close()
        await until(lambda: rooms.subscriptions.total == 1)
        rooms.is_ready = True
        rooms.subscriptions.renew([1, 2])
        assert (await receive(ws))["notes"] == ["old", "old"]
        rooms.subscriptions.renew([1])
        rooms.hub.publish([room_update(1, "once")])
        assert (await receive(ws))["text"] == "once"


async def test_a_connection_is_subscribed_outside_of_a_request() -> None:
    async with serving() as (rooms, connect), connect() as ws:
        await until(lambda: bool(rooms.connections))
        (connection,) = rooms.connections
        rooms.subscriptions.start(connection, 3, size=1)
        assert (await receive(ws))["notes"] == ["old"]
        rooms.hub.publish([room_update(3, "new")])
        assert (await receive(ws))["text"] == "new"


async def test_a_topic_is_replaced_without_a_first_message_or_one_missed() -> None:
    async with serving() as (rooms, connect), connect() as ws:
        await join(ws, 1)
        assert (await receive(ws))["notes"] == ["old", "old"]
        (connection,) = rooms.connections
        rooms.hub.publish([room_update(1, "before")])
        rooms.subscriptions.replace(connection, 1, 2)
        rooms.hub.publish([room_update(2, "after")])
        assert [(await receive(ws))["text"] for _ in range(2)] == ["before", "after"]
        assert list(rooms.subscriptions.of(connection)) == [2]
        assert (rooms.opened, rooms.closed) == ([1, 2], [1])
        rooms.may_answer.clear()
        rooms.subscriptions.start(connection, 4)
        rooms.subscriptions.replace(connection, 4, 5)  # its first message was never sent
        rooms.may_answer.set()
        assert (await receive(ws))["room"] == 5
        assert list(rooms.subscriptions.of(connection)) == [2, 5]


async def test_a_subscription_without_a_first_message_ends_and_the_client_is_notified() -> None:
    async with serving() as (rooms, connect), connect() as ws:
        await join(ws, BROKEN, SILENT)
        assert (await receive(ws))["text"] == str(BROKEN)
        assert rooms.closed == [BROKEN]
        await until(lambda: rooms.hub.subscribers(SILENT) == 1)
        rooms.hub.publish([room_update(BROKEN, "lost"), room_update(SILENT, "new")])
        assert (await receive(ws))["text"] == "new"


async def test_whoever_asks_again_gets_another_first_message() -> None:
    async with serving() as (rooms, connect), connect() as ws:
        for _ in range(2):
            await join(ws, 1)
            assert (await receive(ws))["type"] == "history"
        assert rooms.opened == [1]
        assert rooms.subscriptions.total == 1


async def test_work_for_a_client_that_has_gone_is_dropped() -> None:
    async with serving() as (rooms, connect):
        rooms.may_answer.clear()
        async with connect() as ws:
            await join(ws, 1, 2, 3)
            await until(lambda: rooms.asked == [(1, 2)])
        await until(lambda: rooms.closed == [1, 2, 3])
        rooms.may_answer.set()
        async with connect() as ws:
            await join(ws, 4)
            assert (await receive(ws))["room"] == 4
        assert rooms.asked == [(1, 2), (4, 2)]
