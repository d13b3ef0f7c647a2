"""The soak: the whole product at half load for an hour, with 20,000 short connections."""

from __future__ import annotations

import time
from pathlib import Path

import orjson

from .crowd import Crowd
from .figures import Figure, at_most
from .http_load import HttpClients
from .ingest import directory
from .product import Product
from .scale import Scale

CONNECTIONS_AN_HOUR = 20_000
WAVE = 100
"""Connections that are opened and closed together."""
SUBSCRIPTIONS = 10
TICKS = 3
"""Seconds of updates that each wave reads."""
RATE = 200.0
WARM_UP_SHARE = 0.2
LIMITLESS = "1000000"


def run(scale: Scale) -> list[Figure]:
    """Growth of memory after the warm-up, in MB an hour, and connections left at the end."""
    with (
        directory() as path,
        Product(Path(path), history="5m", rate=RATE, websockets_per_ip=LIMITLESS) as product,
    ):
        samples, connections = _waves(product, scale.minutes * 60)
        time.sleep(5)
        with HttpClients(product.port, 1) as client:
            health = orjson.loads(client.get("/api/v1/monitoring/health"))
    left = health["components"]["websocket_manager"]["connections"]
    warm = samples[int(len(samples) * WARM_UP_SHARE) :]
    over = f"{scale.minutes:g} minutes, {connections:,} connections"
    return [
        Figure(
            f"growth of memory after warm-up, {over}", "ours", "MB/h", [slope(warm)], at_most(1)
        ),
        Figure(f"memory at the end, {over}", "ours", "MB", [samples[-1][1]]),
        Figure(f"connections left at the end, {over}", "ours", "", [left], at_most(0)),
    ]


def slope(samples: list[tuple[float, float]]) -> float:
    """The rise per hour of (hours, value) samples, by least squares; 0 for fewer than two."""
    count = len(samples)
    if count < 2:
        return 0.0
    middle = sum(x for x, _ in samples) / count
    mean = sum(y for _, y in samples) / count
    spread = sum((x - middle) ** 2 for x, _ in samples)
    return sum((x - middle) * (y - mean) for x, y in samples) / spread


def _waves(product: Product, seconds: float) -> tuple[list[tuple[float, float]], int]:
    """(hours, MB) after each wave, and the number of connections."""
    request = orjson.dumps(
        {
            "action": "subscribe",
            "subscriptions": [
                {
                    "symbol": "BTCUSDT",
                    "timeframes": [
                        {"timeframe": minutes, "initial_candles": 0}
                        for minutes in range(1, SUBSCRIPTIONS + 1)
                    ],
                }
            ],
        }
    )
    pause = 3600 * WAVE / CONNECTIONS_AN_HOUR
    began = time.monotonic()
    samples: list[tuple[float, float]] = []
    connections = 0
    while (now := time.monotonic()) - began < seconds:
        with Crowd(product.port, "/ws/stream", [request] * WAVE, SUBSCRIPTIONS) as crowd:
            crowd.receive(TICKS, 60)
        connections += WAVE
        samples.append(((time.monotonic() - began) / 3600, product.process.memory() / 2**20))
        time.sleep(max(now + pause - time.monotonic(), 0))
    return samples, connections
