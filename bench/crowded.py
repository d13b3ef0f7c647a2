"""Fan-out to thousands, and beside clients that do not read: delay, memory, missed ticks.

A client's delay in a tick is from the tick's due time until the client has read the last of its ten
updates: an upper bound of the time until the kernel had the last byte, which the server reports as
well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .child import Child
from .crowd import Crowd, allow_files
from .fanout import RANDOM, start
from .figures import Figure, at_most, percentile, ratios
from .market import PER_CLIENT, requests
from .scale import Scale

HEARTBEAT_SECONDS = 20
"""The product's setting."""
TAIL = 0.99
SETTLE_SECONDS = 20.0
"""The time for the last updates to arrive."""
SLOW_CLIENTS = 500
SLOW_SHARE = 0.02
"""The share of clients that do not read."""
KEPT_KB = 512
"""Twice the bound of a connection's write buffer (EndpointSettings.write_buffer_bytes)."""


@dataclass(frozen=True, slots=True)
class Ticks:
    """The times of the server's ticks, in order: monotonic ns."""

    due: list[int]
    handed: list[int]
    """When the kernel had the last byte."""
    late: int
    """The number of ticks that began more than an interval late."""


def _ticks(server: Child, count: int) -> Ticks:
    lines = [[int(word) for word in server.expect("ran")] for _ in range(count)]
    due, handed = [line[1] for line in lines], [line[2] for line in lines]
    return Ticks(due, handed, sum(line[3] for line in lines))


def _delays(crowd: Crowd, ticks: Ticks, first: int) -> list[float]:
    """Milliseconds from due to read, of every client in every tick of a run."""
    return [
        (arrival - due) / 1e6
        for number, due in enumerate(ticks.due)
        for arrival in crowd.arrivals[first + number]
    ]


def run_thousands(scale: Scale) -> list[Figure]:
    """(c): 5,000 connections with ten random subscriptions, a tick each second for a minute."""
    clients, count = scale.pick(5000, 1000), scale.pick(60, 5)
    allow_files(clients + 1024)
    with start("ours", RANDOM, heartbeat=HEARTBEAT_SECONDS) as server:
        port = int(server.expect("ready")[0])
        empty = server.memory()
        with Crowd(port, "/ws/stream", requests(clients, RANDOM), PER_CLIENT) as crowd:
            before = server.cpu_seconds()
            server.send_line(f"run {count} 1000")
            crowd.receive(count, count + SETTLE_SECONDS)
            ticks = _ticks(server, count)
            spent = server.cpu_seconds() - before
            memory = (server.peak_memory() - empty) / clients / 1024
            delays = _delays(crowd, ticks, first=1)
    handed = [(sent - due) / 1e6 for sent, due in zip(ticks.handed, ticks.due, strict=True)]
    title = f"(c) {clients:,} connections"
    return [
        Figure(
            f"{title}, p99 of the delay", "read by the client", "ms", _tail(delays), at_most(250)
        ),
        Figure(f"{title}, p99 of the delay", "with the kernel", "ms", _tail(handed), at_most(250)),
        Figure(f"{title}, memory of one", "ours", "KB", [memory], at_most(40)),
        Figure(f"{title}, missed ticks", "ours", "", [ticks.late], at_most(0)),
        Figure(f"{title}, share of the core", "ours", "%", [spent / count * 100]),
    ]


def run_slow(scale: Scale) -> list[Figure]:
    """(e): ten ticks a second to 500 clients, 2% of whom never read, beside 500 who all do."""
    rounds, count = scale.pick(3, 1), scale.pick(60, 20)
    idle = int(SLOW_CLIENTS * SLOW_SHARE)
    wanted = requests(SLOW_CLIENTS, RANDOM)
    plain: list[float] = []
    slowed: list[float] = []
    growth: list[float] = []
    with (
        start("ours", RANDOM) as calm,
        start("ours", RANDOM) as disturbed,
        Crowd(_port(calm), "/ws/stream", wanted, PER_CLIENT) as readers,
        Crowd(_port(disturbed), "/ws/stream", wanted, PER_CLIENT, idle=idle) as mixed,
    ):
        empty = disturbed.memory()
        for number in range(rounds):
            for server, crowd, into in ((calm, readers, plain), (disturbed, mixed, slowed)):
                server.send_line(f"run {count} 100")
                crowd.receive(count, count / 10 + SETTLE_SECONDS)
                ticks = _ticks(server, count)
                into += _tail(_delays(crowd, ticks, first=1 + number * count))
            growth.append((disturbed.memory() - empty) / idle / 1024)
    measure = "(e) p99 of the delay, read by the clients that read"
    return [
        Figure(measure, "all read", "ms", plain),
        Figure(measure, "2% do not", "ms", slowed),
        Figure("(e) p99 of the delay, times that with all reading", "ours", "x",
               ratios(slowed, plain), at_most(1.2)),
        Figure("(e) memory kept for one that does not read", "ours", "KB", growth,
               at_most(KEPT_KB)),
    ]  # fmt: skip


def _tail(delays: Sequence[float]) -> list[float]:
    return [percentile(delays, TAIL)]


def _port(server: Child) -> int:
    return int(server.expect("ready")[0])
