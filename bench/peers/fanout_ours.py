"""Fan-out by asyncapi_server: Router, Endpoint and Hub, with the product's contract."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import cast

import uvloop
from aiohttp import web

from asyncapi_server import (
    Connection,
    Contract,
    Endpoint,
    EndpointSettings,
    Fault,
    Hub,
    Router,
    Update,
    encode,
)
from bench.market import BASE_MS, TOPICS, accepted, ohlcv, topics_of
from bench.peers.commands import serve_commands

CONTRACT = Contract.from_json(Path("generated/native/stream_contract.json").read_bytes())


class Handlers:
    """Handles `subscribe` only."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def on_subscribe(self, connection: Connection, message: dict[str, object]) -> object:
        topics = topics_of(message)
        for topic in topics:
            self._hub.subscribe(connection, topic)
        return accepted(topics)

    async def on_unsubscribe(self, connection: Connection, message: object) -> object:
        raise NotImplementedError

    async def on_ping(self, connection: Connection, message: object) -> object:
        raise NotImplementedError


def error_reply(fault: Fault) -> dict[str, object]:
    return {
        "type": "error",
        "error_code": "INTERNAL_ERROR",
        "message": fault.text,
        "details": {},
    }


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("topics", type=int)
    parser.add_argument("--deflate", action="store_true")
    parser.add_argument("--heartbeat", type=float, default=3600.0, metavar="SECONDS")
    arguments = parser.parse_args()
    topics = TOPICS[: arguments.topics]
    hub = Hub()
    router = Router(CONTRACT, "/ws/stream", Handlers(hub), error_reply=error_reply)
    settings = EndpointSettings(compress=arguments.deflate, heartbeat_seconds=arguments.heartbeat)
    endpoint = Endpoint(router, settings=settings, hub=hub)
    application = web.Application()
    application.router.add_get("/ws/stream", endpoint.handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()

    def publish(tick: int) -> None:
        hub.publish([Update(topic, encode(ohlcv(topic, tick)), BASE_MS) for topic in topics])

    def unsent() -> bool:
        for connection in endpoint.connections.values():
            transport = cast(web.Request, connection.request).transport
            if transport is not None and transport.get_write_buffer_size():
                return True
        return False

    await serve_commands(runner.addresses[0][1], publish, unsent)
    await runner.cleanup()


if __name__ == "__main__":
    uvloop.run(main())
