"""The soak: the whole product at half load for an hour, with 20,000 short connections."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import orjson

from .crowd import Crowd
from .figures import Figure, at_most
from .http_load import HttpClients
from .ingest import directory
from .memory import ENGINE, FILES, OWN, resident
from .product import Product
from .scale import Scale

CONNECTIONS_AN_HOUR = 20_000
WAVE = 100
"""Connections that are opened and closed together."""
SUBSCRIPTIONS = 10
TICKS = 3
"""Seconds of updates that each wave reads."""
RATE = 200.0
WARM_UP_SHARE, WARM_UP_HOURS = 0.2, 1.0
"""The beginning that does not count as growth: this share, and no more than so long."""
POINTS = 12
"""How many bars the curve of memory has."""
LIMITLESS = "1000000"


Sample = tuple[float, Counter[str]]
"""Hours since the start, and resident KB by kind."""


def run(scale: Scale) -> list[Figure]:
    """Growth of memory after the warm-up, in MB an hour, its curve, and connections at the end."""
    with (
        directory() as path,
        Product(Path(path), history="5m", rate=RATE, websockets_per_ip=LIMITLESS) as product,
    ):
        samples, connections = _waves(product, scale.minutes * 60)
        time.sleep(5)
        with HttpClients(product.port, 1) as client:
            health = orjson.loads(client.get("/api/v1/monitoring/health"))
    left = health["components"]["websocket_manager"]["connections"]
    return [
        *figures(samples, f"{scale.minutes:g} minutes, {connections:,} connections"),
        Figure("connections left at the end", "ours", "", [left], at_most(0)),
    ]


def figures(samples: list[Sample], over: str) -> list[Figure]:
    """The growth, of all memory and of each kind, and the curve."""
    last = samples[-1][0]
    warm_up = min(last * WARM_UP_SHARE, WARM_UP_HOURS)
    warm = [(hours, kinds) for hours, kinds in samples if hours >= warm_up]
    measure = f"growth of memory after warm-up, {over}"
    total = slope([(hours, kinds.total() / 1024) for hours, kinds in warm])
    found = [Figure(measure, "ours", "MB/h", [total], at_most(1))]
    for kind in (ENGINE, FILES, OWN):
        grown = slope([(hours, kinds[kind] / 1024) for hours, kinds in warm])
        found.append(Figure(measure, f"of it {kind}", "MB/h", [grown]))
    for point in range(1, POINTS + 1):
        until = last * point / POINTS
        since = last * (point - 1) / POINTS
        values = [k.total() / 1024 for hours, k in samples if since < hours <= until]
        name = f"ours, to minute {until * 60:.0f}"
        if values:
            found.append(Figure(f"memory, {over}", name, "MB", values))
    return found


def slope(samples: list[tuple[float, float]]) -> float:
    """The rise per hour of (hours, value) samples, by least squares; 0 for fewer than two."""
    count = len(samples)
    if count < 2:
        return 0.0
    middle = sum(x for x, _ in samples) / count
    mean = sum(y for _, y in samples) / count
    spread = sum((x - middle) ** 2 for x, _ in samples)
    return sum((x - middle) * (y - mean) for x, y in samples) / spread


def _waves(product: Product, seconds: float) -> tuple[list[Sample], int]:
    """Memory after each wave, and the number of connections."""
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
    samples: list[Sample] = []
    smaps = Path(f"/proc/{product.process.pid}/smaps")
    connections = 0
    while (now := time.monotonic()) - began < seconds:
        with Crowd(product.port, "/ws/stream", [request] * WAVE, SUBSCRIPTIONS) as crowd:
            crowd.receive(TICKS, 60)
        connections += WAVE
        samples.append(((time.monotonic() - began) / 3600, resident(smaps.read_text())))
        time.sleep(max(now + pause - time.monotonic(), 0))
    return samples, connections
