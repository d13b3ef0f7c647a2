"""The application that the tests serve: rooms_3.1.yaml with real handlers."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse

from asyncapi_server import (
    Connection,
    Contract,
    Endpoint,
    EndpointSettings,
    Fault,
    Hub,
    Refusal,
    Router,
    load_document,
)
from asyncapi_server.serving.connections import Hook
from support.fronts import Front, served

DOCUMENTS = Path(__file__).parents[1] / "documents"
CASES = DOCUMENTS.parents[3] / "shared" / "cases" / "asyncapi"
"""Minimal documents with the faults of real ones, where the machine has them."""
ROOMS = Contract.from_document(load_document(DOCUMENTS / "rooms_3.1.yaml"))


def error_reply(fault: Fault) -> Mapping[str, object]:
    return {
        "type": "error",
        "code": fault.code or fault.kind.name,
        "text": fault.text,
        "details": [detail.as_dict() for detail in fault.details],
    }


class RoomHandlers:
    """Joins and leaves rooms; a few rooms behave badly on purpose."""

    SLOW, BROKEN, WRONG_REPLY, MUTE, CLOSED, HISTORY, LATE_FAULT = range(100, 107)

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    async def on_join(self, connection: Connection, message: Any) -> object:
        first = message["rooms"][0]
        if first == self.SLOW:
            await asyncio.sleep(3600)
        if first == self.BROKEN:
            connection.send_after_reply(note(1, "never sent"))
            raise RuntimeError("a secret of the server")
        if first == self.WRONG_REPLY:
            return {"type": "left", "room": 1}
        if first == self.MUTE:
            return None
        if first == self.CLOSED:
            raise Refusal("NO_ROOM", f"the room {first} is closed")
        if first == self.LATE_FAULT:
            connection.after_reply(lambda: 1 / 0)
            connection.send_after_reply(note(1, "still sent"))
        if first == self.HISTORY:
            connection.after_reply(lambda: self.start(connection, message["rooms"]))
        else:
            for room in message["rooms"]:
                self.hub.subscribe(connection, room)
        return {"type": "joined", "rooms": message["rooms"]}

    async def start(self, connection: Connection, rooms: list[int]) -> None:
        for room in rooms:
            await asyncio.sleep(0)
            connection.send({"type": "history", "room": room, "notes": ["old"]})
            self.hub.subscribe(connection, room)
            self.hub.publish([room_update(room, "new")])

    async def on_leave_room(self, connection: Connection, message: Any) -> object:
        self.hub.unsubscribe(connection, message["room"])
        return {"type": "left", "room": message["room"]}


def note(room: int, text: str) -> dict[str, object]:
    return {"type": "note", "room": room, "price": Decimal("0.10000000000000000001"), "text": text}


def room_update(room: int, text: str, key: object = None) -> Any:
    from asyncapi_server import Update, encode

    return Update(room, encode(note(room, text)), key)


@dataclass
class App:
    """A running server and a client session for it."""

    url: str
    endpoint: Front
    hub: Hub
    session: ClientSession
    gone: list[str] = field(default_factory=list)

    def connect(self, **kwargs: Any) -> Any:
        return self.session.ws_connect(self.url, **kwargs)


@asynccontextmanager
async def rooms_app(
    settings: EndpointSettings | None = None,
    on_connect: Sequence[Hook] = (),
    front: type[Front] = Endpoint,
    **endpoint_options: Any,
) -> AsyncIterator[App]:
    gone: list[str] = []
    hub = Hub()
    handlers = RoomHandlers(hub)
    router = Router(ROOMS, "/rooms", handlers, error_reply=error_reply, check_outgoing=True)
    endpoint = front(router, settings=settings, hub=hub, **endpoint_options)
    endpoint.on_connect += on_connect
    endpoint.on_disconnect.append(lambda connection: gone.append(connection.id))
    async with served(endpoint, "/rooms") as url, ClientSession() as session:
        yield App(f"{url}/rooms", endpoint, hub, session, gone)


async def ask(ws: ClientWebSocketResponse, message: object) -> dict[str, Any]:
    """Send a message (text as it is, anything else as JSON) and return the next one."""
    await ws.send_str(message if isinstance(message, str) else json.dumps(message))
    return await receive(ws)


async def receive(ws: ClientWebSocketResponse) -> dict[str, Any]:
    """Receive the next message of the server."""
    received: dict[str, Any] = await ws.receive_json(timeout=5)
    return received


async def until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the condition has no event of its own
            await asyncio.sleep(0.005)


@asynccontextmanager
async def raw(
    app: App, headers: str = "{upgrade}", body: str = "", version: str = "1.1"
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A bare socket with a small buffer on which an upgrade was requested."""
    key = base64.b64encode(os.urandom(16)).decode()
    upgrade = (
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {key}\r\n"
    )
    port = int(app.url.rsplit(":", 1)[1].split("/")[0])
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=sock)
    head = f"GET /rooms HTTP/{version}\r\nHost: [::]\r\n{headers.format(upgrade=upgrade)}\r\n"
    writer.write(head.encode() + body.encode())
    try:
        yield reader, writer
    finally:
        writer.transport.abort()  # what is not sent yet would keep the loop from closing
