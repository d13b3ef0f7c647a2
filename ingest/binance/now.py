"""This machine's clocks: the seconds of the event loop, which only run forward, and its time."""

from __future__ import annotations

import asyncio
import time


def now_s() -> float:
    """Seconds on the clock of the running event loop, by which everything waits."""
    return asyncio.get_running_loop().time()


def host_ms() -> int:
    """This machine's time in milliseconds since the Unix epoch; somebody may set it."""
    return time.time_ns() // 1_000_000
