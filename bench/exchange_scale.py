"""The whole exchange: 1,500 symbols, a few busy and most quiet, all followed, many watched."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import orjson

from simulator.assets import names

from .crowd import Crowd
from .figures import Figure, at_most, percentile
from .http_load import HttpClients
from .ingest import directory
from .product import Product
from .scale import Scale

HISTORY = "1m"
WEIGHT_LIMIT = 60_000
"""Ten times the exchange's request weight, so that the start is the server's time more than the
wait for weight; the weight that it takes is a figure of its own. Quiet symbols are asked after more
often than at the exchange."""
READY_SECONDS = 300.0
LIMITLESS = "1000000"
PER_CLIENT = 4
"""Pairs that each client watches; no two clients watch the same."""
TICKS_SECONDS = 30.0
"""More than the ticks of a run take."""
TAIL = 0.99
SECOND_NS = 1_000_000_000


def run(scale: Scale) -> list[Figure]:
    """Time, weight, CPU and memory of following them all, and the updates of those watched."""
    symbols = names(scale.pick(1500, 300))
    rate, clients = scale.pick(15_000, 1_500), scale.pick(500, 100)
    seconds, ticks = scale.pick(30, 10), scale.pick(20, 5)
    with (
        directory() as path,
        Product(
            Path(path),
            history=HISTORY,
            rate=1,
            symbols=symbols,
            ready_seconds=READY_SECONDS,
            exchange=("--total-rate", str(rate), "--weight-limit", str(WEIGHT_LIMIT)),
            websockets_per_ip=LIMITLESS,
        ) as product,
    ):
        weight = _weight(product)
        alone = _share_of_core(product, seconds)
        requests = _requests(symbols, clients)
        with Crowd(product.port, "/ws/stream", requests, PER_CLIENT) as crowd:
            crowd.receive(3, TICKS_SECONDS)  # the first are those of the subscription
            while not 5 < time.time() % 60 < 55 - ticks:  # at a minute's end pairs have two updates
                crowd.receive(1, TICKS_SECONDS)
            crowd.arrivals.clear()
            began, spent = time.monotonic(), product.process.cpu_seconds()
            crowd.receive(ticks, ticks + TICKS_SECONDS)
            watched = (product.process.cpu_seconds() - spent) / (time.monotonic() - began)
            delays = _delays(crowd)
        memory = product.process.memory() / 2**20
    title = f"{len(symbols):,} symbols, {rate:,} trades/s"
    crowded = f"{title}, {clients * PER_CLIENT:,} pairs watched by {clients:,} clients"
    return [
        Figure(f"{title}, time to healthy", "ours", "s", [product.complete_seconds]),
        Figure(f"{title}, request weight of a symbol", "ours", "", [weight / len(symbols)]),
        Figure(f"{title}, share of the core", "ours", "%", [alone * 100]),
        Figure(f"{crowded}, share of the core", "ours", "%", [watched * 100], at_most(45)),
        Figure(f"{crowded}, memory", "ours", "MB", [memory], at_most(900)),
        Figure(
            f"{crowded}, p99 of the tick", "read by the client", "ms",
            [percentile(delays, TAIL)], at_most(250),
        ),
    ]  # fmt: skip


def _weight(product: Product) -> int:
    """The request weight that the exchange has counted."""
    with HttpClients(int(product.exchange_url.rsplit(":", 1)[1]), 1) as client:
        state = orjson.loads(client.get("/control/state?requests=200000"))
    return sum(request["weight"] for request in state["requests"])


def _share_of_core(product: Product, seconds: float) -> float:
    began, spent = time.monotonic(), product.process.cpu_seconds()
    time.sleep(seconds)
    return (product.process.cpu_seconds() - spent) / (time.monotonic() - began)


def _requests(symbols: list[str], clients: int) -> list[bytes]:
    """A subscription of each client, to pairs of its own: each symbol at 1m, then at 2m, ..."""
    requests = []
    for client in range(clients):
        pairs = [divmod(client * PER_CLIENT + n, len(symbols)) for n in range(PER_CLIENT)]
        subscriptions = [
            {
                "symbol": symbols[index],
                "timeframes": [{"timeframe": 1 + minutes, "initial_candles": 0}],
            }
            for minutes, index in pairs
        ]
        requests.append(orjson.dumps({"action": "subscribe", "subscriptions": subscriptions}))
    return requests


def _delays(crowd: Crowd) -> list[float]:
    """Milliseconds from the time at which a tick was due until each client has read its updates.

    A tick is what comes within half a second, and is due a second after the one before.
    """
    ticks: list[list[int]] = []
    for at in sorted(at for tick in crowd.arrivals.values() for at in tick):
        if not ticks or at - ticks[-1][0] >= SECOND_NS // 2:
            ticks.append([])
        ticks[-1].append(at)
    return [
        (at - min(tick[0], before[0] + SECOND_NS)) / 1e6
        for before, tick in pairwise(ticks)
        for at in tick
    ]
