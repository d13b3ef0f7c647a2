"""Runs worlds: many seeds, or one step by step, cut down to the events that it fails by."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from typing import NamedTuple

from tests.world.backends import EngineBackend, ModelBackend, engine
from tests.world.live import live
from tests.world.plan import Plan, plan
from tests.world.shrink import shrunk

SEEDS_AT_ONCE = 20
SHOWN = 1_000
"""Characters of a failure that are printed."""

Trace = Callable[[str], None]


class Outcome(NamedTuple):
    """The outcome of some seeds."""

    wrong: list[tuple[int, str]]
    """The first thing that did not hold, by seed."""
    simulated_s: float


def run(seeds: Sequence[int]) -> Outcome:
    """Run seeds one after another, with the model."""
    wrong, simulated_s = [], 0.0
    for seed in seeds:
        found, seconds = live(plan(seed), ModelBackend())
        simulated_s += seconds
        if found:
            wrong.append((seed, found[0]))
    return Outcome(wrong, simulated_s)


def run_on_engine(seeds: Sequence[int]) -> Outcome:
    """Run seeds one after another, with the real engine."""
    wrong, simulated_s = [], 0.0
    with engine() as connection:
        for seed in seeds:
            found, seconds = live(plan(seed), EngineBackend(connection))
            simulated_s += seconds
            if found:
                wrong.append((seed, found[0]))
    return Outcome(wrong, simulated_s)


def outcomes(seeds: range, jobs: int, *, on_engine: bool = False) -> Iterator[Outcome]:
    """Run seeds in so many processes."""
    one = run_on_engine if on_engine else run
    parts = [seeds[at : at + SEEDS_AT_ONCE] for at in range(0, len(seeds), SEEDS_AT_ONCE)]
    if jobs == 1:
        yield from map(one, parts)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(one, parts)


def many(seeds: range, jobs: int, *, on_engine: bool, stop: bool) -> bool:
    """Run seeds, and print what failed and how fast they went."""
    started, ran, failed, simulated_s = time.perf_counter(), 0, 0, 0.0
    for outcome in outcomes(seeds, jobs, on_engine=on_engine):
        ran += SEEDS_AT_ONCE
        simulated_s += outcome.simulated_s
        failed += len(outcome.wrong)
        for seed, text in outcome.wrong:
            print(f"seed {seed} fails: {text[:SHOWN]}", flush=True)
        if failed and stop:
            return False
    spent_s = time.perf_counter() - started
    print(
        f"{min(ran, len(seeds))} seeds, {failed} failed; {simulated_s / 3600:.1f} hours in"
        f" {spent_s:.0f} s: {simulated_s / spent_s:.0f} times real time on {jobs} cores"
    )
    return not failed


def one(seed: int, only: Sequence[int] | None, *, trace: Trace | None, on_engine: bool) -> bool:
    """Run one seed, step by step if wanted; one that fails is cut down first."""
    with engine() if on_engine else nullcontext() as connection:

        def fails(cut: Plan, trace: Trace | None = None) -> list[str]:
            backend = ModelBackend() if connection is None else EngineBackend(connection)
            return live(cut, backend, trace)[0]

        wanted = plan(seed)
        if only is not None:
            wanted = wanted.only(only)
        elif fails(wanted):
            print(f"seed {seed} fails; looking for the events that it takes ...", flush=True)
            wanted = shrunk(wanted, lambda cut: bool(fails(cut)))
        print(wanted)
        wrong = fails(wanted, trace)
    for text in wrong[:3]:
        print(f"WRONG {text[:SHOWN]}")
    print("Something does not hold." if wrong else "All holds.")
    return not wrong


def main() -> int:
    """Run what the command line asks for; 1 when something did not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.world", description=__doc__)
    parser.add_argument("seed", type=int, help="the seed, or the first of many")
    parser.add_argument("--seeds", type=int, default=1, help="so many, without a trace")
    parser.add_argument("--jobs", type=int, default=1, help="processes for many seeds")
    parser.add_argument("--stop", action="store_true", help="stop after the first that fail")
    parser.add_argument("--engine", action="store_true", help="the real engine, not the model")
    parser.add_argument("--only", help="numbers of events, such as 3,7: leave the others out")
    parser.add_argument("--quiet", action="store_true", help="no trace of one seed")
    options = parser.parse_args()
    if options.seeds > 1:
        seeds = range(options.seed, options.seed + options.seeds)
        stop, on_engine = options.stop, options.engine
        return int(not many(seeds, options.jobs, on_engine=on_engine, stop=stop))
    only = None if options.only is None else [int(n) for n in options.only.split(",") if n]
    trace = None if options.quiet else print
    return int(not one(options.seed, only, trace=trace, on_engine=options.engine))


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of a set is part of a seed's world
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.world", *sys.argv[1:]])
    sys.exit(main())
