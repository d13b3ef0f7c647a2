"""Many timeframes: the cost of a flush that ends a minute with 2,500 pairs in use."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

from .child import Child
from .figures import Figure, at_most, ratios
from .ingest import directory
from .machine import cores
from .rounds import interleave
from .scale import Scale

PREPARE_SECONDS = 180.0
PAIRS, VIEWS = 2_500, 50


def run(scale: Scale) -> list[Figure]:
    """Milliseconds of a flush: the insert of 2,000 trades and the candles of the ended minute."""
    subjects = {
        "no timeframe": (0, 0),
        "2,500 pairs": (PAIRS, 0),
        f"a materialized view for each of {VIEWS} pairs": (0, VIEWS),
    }
    with ExitStack() as stack:
        flushes = {}
        for subject, (pairs, views) in subjects.items():
            path = stack.enter_context(directory())
            child = Child.module("bench.peers.flush", path, pairs, views, core=cores().server)
            stack.enter_context(child).expect("ready", PREPARE_SECONDS)
            flushes[subject] = partial(_flush, child)
        values = interleave(flushes, scale.pick(15, 3))
    measure = "a flush of 2,000 trades of 25 symbols at the end of a minute"
    costs = [Figure(measure, subject, "ms", took) for subject, took in values.items()]
    times = ratios(values["2,500 pairs"], values["no timeframe"])
    return [
        *costs,
        Figure("a flush with 2,500 pairs, times none", "ours", "x", times, at_most(1.2)),
    ]


def _flush(child: Child) -> float:
    child.send_line("flush")
    took, _ = child.expect("took")
    return float(took)
