"""Fan-out by socketify (uWebSockets): `publish` to its own topics.

Its event loop polls without sleeping for a while after each use, which the benchmark counts.
`cpu S` is its CPU time from a tick's command until the kernel has the tick.
"""

from __future__ import annotations

import json
import sys
import threading
import time

from socketify import App, OpCode, WebSocket

from bench.market import TOPICS, accepted, ohlcv, topics_of

FLUSHES = 3
"""Iterations of its loop after which everything published is written."""


def on_message(ws: WebSocket, message: str, _: OpCode) -> None:
    topics = topics_of(json.loads(message))
    for topic in topics:
        ws.subscribe(topic)
    ws.send(json.dumps(accepted(topics)), OpCode.TEXT)


def main(topics: int) -> None:
    app = App()
    app.ws("/ws/stream", {"message": on_message})

    def tick(number: int) -> None:
        before = time.process_time()
        for topic in TOPICS[:topics]:
            app.publish(topic, json.dumps(ohlcv(topic, number)), OpCode.TEXT)
        for _ in range(FLUSHES):
            app.loop.uv_loop.run_nowait()
        print("cpu", time.process_time() - before, flush=True)

    def commands() -> None:
        for line in sys.stdin:
            app.loop.loop.call_soon_threadsafe(tick, int(line.split()[1]))
        app.loop.loop.call_soon_threadsafe(app.close)

    app.listen(int(sys.argv[2]), lambda config: print("ready", config.port, flush=True))
    threading.Thread(target=commands, daemon=True).start()
    app.run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
