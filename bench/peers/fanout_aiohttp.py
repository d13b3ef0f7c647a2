"""Fan-out in the most common way: aiohttp, `send_json` to each client."""

from __future__ import annotations

import sys
from collections import defaultdict

import uvloop
from aiohttp import web

from bench.market import TOPICS, accepted, ohlcv, topics_of
from bench.peers.commands import serve_commands

subscribers: defaultdict[str, list[web.WebSocketResponse]] = defaultdict(list)


async def handle(request: web.Request) -> web.WebSocketResponse:
    ws = web.WebSocketResponse(compress=False)
    await ws.prepare(request)
    async for message in ws:
        topics = topics_of(message.json())
        for topic in topics:
            subscribers[topic].append(ws)
        await ws.send_json(accepted(topics))
    return ws


async def main(topics: int) -> None:
    application = web.Application()
    application.router.add_get("/ws/stream", handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()

    async def publish(tick: int) -> None:
        for topic in TOPICS[:topics]:
            update = ohlcv(topic, tick)
            for ws in subscribers[topic]:
                await ws.send_json(update)

    await serve_commands(runner.addresses[0][1], publish)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
