"""The commands of a fan-out server under test: lines on its standard input.

`tick N` publishes the N-th update of every topic once. `run COUNT MS` publishes COUNT ticks, one
every MS milliseconds, and prints `ran N START_NS HANDED_NS LATE` for each. The server prints
`ready PORT` first and ends with its input.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
import time
from collections.abc import Awaitable, Callable

Publish = Callable[[int], Awaitable[None] | None]
Unsent = Callable[[], bool]


async def serve_commands(port: int, publish: Publish, unsent: Unsent = lambda: False) -> None:
    """Run commands until the input ends. `unsent` reports bytes that the kernel does not have."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print("ready", port, flush=True)
    while line := (await reader.readline()).split():
        match line:
            case [b"tick", number]:
                await _call(publish, int(number))
            case [b"run", count, interval]:
                await _run(int(count), int(interval) * 1_000_000, publish, unsent)
            case _:
                raise SystemExit(f"no such command: {line!r}")


async def _call(publish: Publish, tick: int) -> None:
    result = publish(tick)
    if inspect.isawaitable(result):
        await result


async def _run(count: int, interval: int, publish: Publish, unsent: Unsent) -> None:
    begin = time.monotonic_ns() + interval
    for tick in range(1, count + 1):
        due = begin + (tick - 1) * interval
        await asyncio.sleep(max(due - time.monotonic_ns(), 0) / 1e9)
        late = time.monotonic_ns() - due > interval
        await _call(publish, tick)
        while unsent() and time.monotonic_ns() - due < interval:  # noqa: ASYNC110 - to measure it
            await asyncio.sleep(0.001)
        print("ran", tick, due, time.monotonic_ns(), int(late), flush=True)
