"""The application that the tests serve: rooms_3.1.yaml with real handlers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, web

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
from asyncapi_server.serving.endpoint import Hook

DOCUMENTS = Path(__file__).parent / "documents"
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
    endpoint: Endpoint
    hub: Hub
    session: ClientSession
    gone: list[str] = field(default_factory=list)

    def connect(self, **kwargs: Any) -> Any:
        return self.session.ws_connect(self.url, **kwargs)


@asynccontextmanager
async def rooms_app(
    settings: EndpointSettings | None = None,
    on_connect: Sequence[Hook] = (),
    **endpoint_options: Any,
) -> AsyncIterator[App]:
    gone: list[str] = []
    hub = Hub()
    handlers = RoomHandlers(hub)
    router = Router(ROOMS, "/rooms", handlers, error_reply=error_reply, check_outgoing=True)
    endpoint = Endpoint(router, settings=settings, hub=hub, **endpoint_options)
    endpoint.on_connect += on_connect
    endpoint.on_disconnect.append(lambda connection: gone.append(connection.id))
    application = web.Application()
    application.router.add_get("/rooms", endpoint.handle)
    runner = web.AppRunner(application, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with ClientSession() as session:
            yield App(f"http://127.0.0.1:{port}/rooms", endpoint, hub, session, gone)
    finally:
        await endpoint.close_all()
        await runner.cleanup()


async def ask(ws: ClientWebSocketResponse, message: object) -> dict[str, Any]:
    """Send a message (text as it is, anything else as JSON) and return the next one."""
    await ws.send_str(message if isinstance(message, str) else json.dumps(message))
    return await receive(ws)


async def receive(ws: ClientWebSocketResponse) -> dict[str, Any]:
    """Receive the next message of the server."""
    received: dict[str, Any] = await ws.receive_json(timeout=5)
    return received
