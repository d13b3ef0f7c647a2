"""REST: pages of trades, candles and the health check, beside FastAPI and plain aiohttp."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial

import orjson

from .child import Child
from .figures import Figure, Target, at_least, at_most, percentile, ratios
from .http_load import HttpClients
from .ingest import directory
from .machine import cores
from .product import Product
from .rounds import interleave
from .scale import Scale

OURS, COLD = "ours", "ours, nothing kept in memory"
FASTAPI, AIOHTTP = "FastAPI, response model", "plain aiohttp"
TRADES_PER_SECOND, HISTORY = 1, "17h"
"""More than 1000 minutes, and 10,000 trades, of history."""
ROWS = (100, 1_000, 10_000)
MANY = 32
HEALTH, TRADES, CANDLES = "/monitoring/health", "/data/trades, 1,000 rows", "/data/candles, 1,000"
Goals = Mapping[tuple[str, str], Target]
MILLISECONDS: Goals = {(CANDLES, OURS): at_most(1.0), (CANDLES, COLD): at_most(9.0)}
"""Of the p50 of one connection."""
TIMES_AIOHTTP: Goals = {(HEALTH, OURS): at_most(1.3), (TRADES, COLD): at_most(1.1)}
"""Of the same, beside plain aiohttp."""
TIMES_FASTAPI: Goals = {
    (TRADES, OURS): at_least(12),
    (CANDLES, OURS): at_least(12),
    (CANDLES, COLD): at_least(1),
}
"""Of the requests of many connections, beside FastAPI."""

Values = Mapping[str, list[float]]


def run(scale: Scale) -> list[Figure]:
    """p50 of one connection, and requests per second of 32."""
    figures: list[Figure] = []
    seconds, rounds = scale.pick(0.4, 0.2), scale.pick(3, 1)
    with ExitStack() as stack:
        ports = _start(stack)
        paths = {HEALTH: dict.fromkeys(ports, "/api/v1/monitoring/health")}
        first = {name: _first_id(port) for name, port in ports.items()}
        for rows in scale.pick(ROWS, (1_000,)):
            paths[f"/data/trades, {rows:,} rows"] = {
                name: f"/api/v1/data/trades/BTCUSDT?from_id={first[name]}&limit={rows}"
                for name in ports
            }
        candles = "/api/v1/data/candles/BTCUSDT?timeframe=1&limit=1000"
        paths[CANDLES] = dict.fromkeys(ports, candles)
        for title, path in paths.items():
            for count, measure in ((1, _p50), (MANY, _rate)):
                clients = {
                    name: stack.enter_context(HttpClients(port, count))
                    for name, port in ports.items()
                }
                contestants = {
                    name: partial(measure, clients[name], path[name], seconds) for name in ports
                }
                values = interleave(contestants, rounds)
                figures += (_alone if count == 1 else _together)(title, values)
    return figures


def _start(stack: ExitStack) -> dict[str, int]:
    """Start the three servers; returns their ports."""
    ports = {}
    for name, megabytes in ((OURS, "64"), (COLD, "0")):
        product = Product(
            stack.enter_context(directory()),
            history=HISTORY,
            rate=TRADES_PER_SECOND,
            hot_megabytes=megabytes,
        )
        ports[name] = stack.enter_context(product).port
    for name, module in ((FASTAPI, "rest_fastapi"), (AIOHTTP, "rest_aiohttp")):
        path = stack.enter_context(directory())
        child = Child.module(f"bench.peers.{module}", path, core=cores().server)
        ports[name] = int(stack.enter_context(child).expect("ready")[0])
    return ports


def _first_id(port: int) -> int:
    """The first stored id, where pages start so that each is full."""
    with HttpClients(port, 1) as client:
        low = orjson.loads(client.get("/api/v1/data/trades/BTCUSDT?from_id=0&limit=1"))
    return int(low["data"][0]["aggregate_id"])


def _p50(clients: HttpClients, path: str, seconds: float) -> float:
    return percentile(clients.load(path, seconds).latencies, 0.5)


def _rate(clients: HttpClients, path: str, seconds: float) -> float:
    return clients.load(path, seconds).rate


def _alone(title: str, values: Values) -> list[Figure]:
    measure = f"{title}: p50, one connection"
    figures = [
        Figure(measure, name, "ms", some, MILLISECONDS.get((title, name)))
        for name, some in values.items()
    ]
    return figures + _beside(AIOHTTP, title, "p50, times plain aiohttp's", values, TIMES_AIOHTTP)


def _together(title: str, values: Values) -> list[Figure]:
    measure = f"{title}: requests, {MANY} connections"
    figures = [Figure(measure, name, "/s", rates) for name, rates in values.items()]
    return figures + _beside(FASTAPI, title, "requests, times FastAPI's", values, TIMES_FASTAPI)


def _beside(peer: str, title: str, what: str, values: Values, goals: Goals) -> list[Figure]:
    """Ours as multiples of a peer's."""
    return [
        Figure(
            f"{title}: {what}",
            name,
            "x",
            ratios(values[name], values[peer]),
            goals.get((title, name)),
        )
        for name in (OURS, COLD)
    ]
