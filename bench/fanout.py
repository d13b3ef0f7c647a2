"""Fan-out to 500 clients: CPU time of the server for each delivered update, beside its peers.

Every server gets the same load in turn: a tick every `PACE` seconds whose updates are published at
once. The cost is the CPU time of the whole process, idle time between ticks included, divided by
the updates that the clients counted.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import ExitStack

from .child import Child
from .crowd import Crowd
from .errors import BenchError, NotAvailable
from .figures import Figure, Target, at_least, at_most, ratios, skipped
from .machine import cores
from .market import PER_CLIENT, TOPICS, marker, requests
from .node import node
from .rounds import interleave
from .scale import Scale

CLIENTS = 500
SAME, RANDOM = 10, len(TOPICS)
"""The number of topics to choose ten from: the same for all clients, or random ones."""
PACE = 0.2
"""Seconds between ticks."""
DELIVERY_SECONDS = 20.0
COST = "CPU per delivered update"
MICROSECONDS = "µs"

PEERS: dict[str, tuple[str, Target | None]] = {
    "floor": ("one write(2) per client", at_least(0.91)),
    "aiohttp": ("aiohttp send_json", None),
    "websockets": ("websockets.broadcast", None),
    "starlette": ("Starlette under uvicorn", None),
    "socketify": ("socketify publish", at_least(4)),
    "node": ("Node.js ws, corked", at_least(2.5)),
}
"""By program: its name in the report, and the target for its cost, in multiples of ours."""


def start(
    program: str, topics: int, *, deflate: bool = False, heartbeat: float | None = None
) -> Child:
    """Start a fan-out server on the server's core; `deflate` and `heartbeat` (s) are for ours."""
    core = cores().server
    if program == "node":
        path, environment = node()
        argv = [path, "bench/peers/fanout_ws.js", str(topics)]
        return Child(argv, core, environment=environment)
    arguments: list[object] = [topics]
    if program == "socketify":
        arguments.append(_free_port())
    if deflate:
        arguments.append("--deflate")
    if heartbeat is not None:
        arguments += ["--heartbeat", heartbeat]
    return Child.module(f"bench.peers.fanout_{program}", *arguments, core=core)


class Contestant:
    """A server with its clients."""

    def __init__(self, program: str, topics: int, scale: Scale, *, deflate: bool = False) -> None:
        self._stack = ExitStack()
        try:
            self._server = self._stack.enter_context(start(program, topics, deflate=deflate))
            port = int(self._server.expect("ready")[0])
            crowd = Crowd(
                port, "/ws/stream", requests(CLIENTS, topics), PER_CLIENT, deflate=deflate
            )
            self._crowd = self._stack.enter_context(crowd)
        except BaseException:
            self._stack.close()
            raise
        self._tick = 0
        self._ticks = scale.pick(5, 3)
        self._pace = scale.pick(PACE, PACE / 2)

    def close(self) -> None:
        self._stack.close()

    def cost(self) -> float:
        """CPU microseconds per delivered update, over a few ticks."""
        before = self._server.cpu_seconds()
        for _ in range(self._ticks):
            until = time.monotonic() + self._pace
            self._tick += 1
            self._server.send_line(f"tick {self._tick}")
            self._crowd.receive(1, DELIVERY_SECONDS, marker=marker(self._tick))
            time.sleep(max(until - time.monotonic(), 0))
        spent = self._server.cpu_seconds() - before
        self._check()
        return spent * 1e6 / (self._ticks * CLIENTS * PER_CLIENT)

    def _check(self) -> None:
        """Check that each update came once, and the content of the witness's updates."""
        if self._crowd.surplus():
            raise BenchError("clients got more than was published")
        seen = [(m["symbol"], m["timeframe"]) for m in self._crowd.take_messages()]
        if len(set(seen)) != PER_CLIENT or len(seen) != PER_CLIENT * self._ticks:
            raise BenchError("a client got one topic twice and another not at all")


def run(scale: Scale) -> list[Figure]:
    """(a) the same ten subscriptions for all, (b) ten random ones of 250 each, (d) as (b) with
    permessage-deflate."""
    figures: list[Figure] = []
    with ExitStack() as stack:
        contestants: dict[str, Callable[[], float]] = {}

        def enter(key: str, program: str, topics: int, *, deflate: bool = False) -> None:
            contestant = Contestant(program, topics, scale, deflate=deflate)
            stack.callback(contestant.close)
            contestants[key] = contestant.cost

        enter("a", "ours", SAME)
        for program, (name, _) in PEERS.items():
            try:
                enter(program, program, SAME)
            except NotAvailable as why:
                figures.append(skipped(f"(a) {COST}", name, MICROSECONDS, str(why)))
        enter("b", "ours", RANDOM)
        enter("d", "ours", RANDOM, deflate=True)
        enter("b websockets", "websockets", RANDOM)
        values = interleave(contestants, scale.pick(5, 3))
    return [*_same(values), *_random(values), *figures]


def _same(values: dict[str, list[float]]) -> list[Figure]:
    ours = values["a"]
    measured = {key: value for key, value in PEERS.items() if key in values}
    costs = [Figure(f"(a) {COST}", "ours", MICROSECONDS, ours)]
    costs += [
        Figure(f"(a) {COST}", name, MICROSECONDS, values[key])
        for key, (name, _) in measured.items()
    ]
    times = [
        Figure("(a) CPU, times ours", name, "x", ratios(values[key], ours), target)
        for key, (name, target) in measured.items()
    ]
    return costs + times


def _random(values: dict[str, list[float]]) -> list[Figure]:
    b, d = values["b"], values["d"]
    return [
        Figure(f"(b) {COST}, ten random ones of 250", "ours", MICROSECONDS, b),
        Figure(
            f"(b) {COST}, ten random ones of 250",
            "websockets.broadcast",
            MICROSECONDS,
            values["b websockets"],
        ),
        Figure(f"(b) {COST}, ten random ones of 250", "ours, deflate (d)", MICROSECONDS, d),
        Figure("(b) CPU, times (a)", "ours", "x", ratios(b, values["a"]), at_most(1.5)),
        Figure(
            "(d) CPU with permessage-deflate, times (b)", "ours", "x", ratios(d, b), at_most(1.25)
        ),
    ]


def _free_port() -> int:
    """Find a port for a server that cannot pick one itself."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
