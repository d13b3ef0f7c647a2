"""Fan-out by `websockets.broadcast`: encoded once, framed for each client."""

from __future__ import annotations

import json
import sys
from collections import defaultdict

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve

from bench.market import TOPICS, accepted, ohlcv, topics_of
from bench.peers.commands import serve_commands

subscribers: defaultdict[str, list[ServerConnection]] = defaultdict(list)


async def handle(connection: ServerConnection) -> None:
    async for message in connection:
        topics = topics_of(json.loads(message))
        for topic in topics:
            subscribers[topic].append(connection)
        await connection.send(json.dumps(accepted(topics)))


async def main(topics: int) -> None:
    async with serve(handle, "127.0.0.1", 0, compression=None, ping_interval=None) as server:

        def publish(tick: int) -> None:
            for topic in TOPICS[:topics]:
                broadcast(subscribers[topic], json.dumps(ohlcv(topic, tick)))

        port = next(iter(server.sockets)).getsockname()[1]
        await serve_commands(port, publish)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
