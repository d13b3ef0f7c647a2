"""Fan-out by Starlette under uvicorn: encoded once, `send_text` to each client."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections import defaultdict

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from bench.market import TOPICS, accepted, ohlcv, topics_of
from bench.peers.commands import serve_commands

subscribers: defaultdict[str, list[WebSocket]] = defaultdict(list)


async def handle(ws: WebSocket) -> None:
    await ws.accept()
    try:
        while True:
            topics = topics_of(await ws.receive_json())
            for topic in topics:
                subscribers[topic].append(ws)
            await ws.send_json(accepted(topics))
    except WebSocketDisconnect:
        return


async def main(topics: int) -> None:
    application = Starlette(routes=[WebSocketRoute("/ws/stream", handle)])
    config = uvicorn.Config(
        application,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        log_level="error",
        lifespan="off",
    )
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    server = asyncio.create_task(uvicorn.Server(config).serve([listener]))

    async def publish(tick: int) -> None:
        for topic in TOPICS[:topics]:
            text = json.dumps(ohlcv(topic, tick))
            for ws in subscribers[topic]:
                await ws.send_text(text)

    await serve_commands(listener.getsockname()[1], publish)
    server.cancel()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
