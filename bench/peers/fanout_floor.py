"""The floor of fan-out: one `write` system call per client and tick, with all its bytes prepared.

Only for clients that share their subscriptions and keep up; a server can be cheaper only with fewer
system calls.
"""

from __future__ import annotations

import os
import sys

import uvloop
from aiohttp import web

from asyncapi_server import encode
from asyncapi_server.serving.framing import text_frame
from bench.market import TOPICS, accepted, ohlcv, topics_of
from bench.peers.commands import serve_commands

descriptors: list[int] = []


async def handle(request: web.Request) -> web.WebSocketResponse:
    ws = web.WebSocketResponse(compress=False)
    await ws.prepare(request)
    async for message in ws:
        await ws.send_json(accepted(topics_of(message.json())))
        assert request.transport is not None
        descriptors.append(request.transport.get_extra_info("socket").fileno())
    return ws


async def main(topics: int) -> None:
    application = web.Application()
    application.router.add_get("/ws/stream", handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()

    def publish(tick: int) -> None:
        joined = b"".join(text_frame(encode(ohlcv(topic, tick))) for topic in TOPICS[:topics])
        for descriptor in descriptors:
            os.write(descriptor, joined)

    await serve_commands(runner.addresses[0][1], publish)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
