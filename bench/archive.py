"""The archive: loads a zipped file of trades, beside the engine's insert of its lines."""

from __future__ import annotations

from functools import partial

from .child import Child
from .figures import Figure, at_least, ratios
from .ingest import directory
from .machine import cores
from .rounds import interleave
from .scale import Scale

SECONDS = 120.0
OURS, BARE = "ours, zipped and checked", "bare INSERT ... FROM file(CSV)"


def run(scale: Scale) -> list[Figure]:
    """Trades a second of wall time, on one core."""
    trades, rounds = scale.pick(1_000_000, 200_000), scale.pick(5, 2)
    with directory() as path:
        child = Child.module("bench.peers.archive", path, trades, core=cores().server)
        with child:
            child.expect("ready", SECONDS)
            rates = interleave(
                {
                    OURS: partial(_rate, child, "ours", trades),
                    BARE: partial(_rate, child, "bare", trades),
                },
                rounds,
            )
    measure = f"trades per second, a file of {trades:,}"
    return [
        *(Figure(measure, subject, "/s", values) for subject, values in rates.items()),
        Figure(
            "rate, share of the bare insert's",
            "ours",
            "x",
            ratios(rates[OURS], rates[BARE]),
            at_least(0.8),
        ),
    ]


def _rate(child: Child, which: str, trades: int) -> float:
    child.send_line(which)
    (took,) = child.expect("took", SECONDS)
    return trades / float(took)
