"""Memory at rest: the server as `make run` starts it, followed by nobody."""

from __future__ import annotations

import re
import time
from collections import Counter
from pathlib import Path

from .figures import Figure, at_most
from .ingest import directory
from .product import Product
from .scale import Scale

SYMBOLS = ("BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT", "XRPUSDT")
TRADES_PER_SECOND, HISTORY = 5.0, "3h"
"""The defaults of the simulator and of the server."""
REST_SECONDS = 60
SAMPLES = 5
EVERY_SECONDS = 3.0
GOAL_MB = 380
MEASURE = "memory at rest, 5 symbols"
ENGINE, FILES, OWN = "the engine's library", "other libraries", "its own"

_MAPPING = re.compile(r"[0-9a-f]+-[0-9a-f]+ ")


def run(scale: Scale) -> list[Figure]:
    """Resident MB with five symbols, by kind, and threads; no client is connected."""
    kinds: list[Counter[str]] = []
    threads: list[float] = []
    with (
        directory() as path,
        Product(path, history=HISTORY, rate=TRADES_PER_SECOND, symbols=SYMBOLS) as product,
    ):
        process = Path(f"/proc/{product.process.pid}")
        time.sleep(scale.pick(REST_SECONDS, 10))
        for _ in range(scale.pick(SAMPLES, 1)):
            kinds.append(resident((process / "smaps").read_text()))
            threads.append(len(list((process / "task").iterdir())))
            time.sleep(EVERY_SECONDS)

    figures = [
        Figure(MEASURE, f"of it {kind}", "MB", [sample[kind] / 1024 for sample in kinds])
        for kind in (ENGINE, FILES, OWN)
    ]
    totals = [sample.total() / 1024 for sample in kinds]
    return [
        Figure(MEASURE, "ours", "MB", totals, at_most(GOAL_MB)),
        *figures,
        Figure("threads at rest, 5 symbols", "ours", "", threads),
    ]


def resident(smaps: str) -> Counter[str]:
    """Resident KB by kind: pages of the engine's library, of other files, and of no file."""
    found: Counter[str] = Counter()
    kind = OWN
    for line in smaps.splitlines():
        if _MAPPING.match(line):
            kind = ENGINE if "/_chdb." in line else FILES
        elif line.startswith("Rss:"):
            found[kind] += int(line.split()[1])
        elif line.startswith("Anonymous:"):
            changed = int(line.split()[1])
            found[kind] -= changed
            found[OWN] += changed
    return found
