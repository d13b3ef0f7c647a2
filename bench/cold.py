"""Cold start over a full store: time to listening, to complete data, and of the full audit."""

from __future__ import annotations

from datetime import UTC, datetime

from .child import Child
from .errors import BenchError
from .figures import Figure, at_most
from .ingest import directory
from .machine import cores
from .peers.big_store import GENESIS, RATE
from .product import Product
from .scale import Scale

FILL_SECONDS = 300.0


def run(scale: Scale) -> list[Figure]:
    """Seconds, with 10 million trades in the store."""
    trades, rounds = scale.pick(10_000_000, 500_000), scale.pick(3, 1)
    core = cores().server
    listening, complete, audited = [], [], []
    with directory() as path:
        with Child.module("bench.peers.big_store", path, trades, core=core) as filler:
            (end,) = filler.expect("filled", FILL_SECONDS)
        for _ in range(rounds):
            at = ["--genesis", GENESIS, "--clock-start", _iso(int(end))]
            with Product(path, history="1h", rate=RATE, exchange=at) as product:
                listening.append(product.listening_seconds)
                complete.append(product.complete_seconds)
        for _ in range(rounds):
            with Child.module("bench.peers.audit", path, core=core) as auditor:
                seconds, differences = auditor.expect("audited", FILL_SECONDS)
            if int(differences):
                raise BenchError(f"the audit found {differences} differences")
            audited.append(float(seconds))
    over = f"{trades:,} trades in the store"
    return [
        Figure(f"from start, {over}", "listening", "s", listening, at_most(3)),
        Figure(f"from start, {over}", "complete", "s", complete),
        Figure(f"audit of all, {over}", "ours", "s", audited, at_most(10)),
    ]


def _iso(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
