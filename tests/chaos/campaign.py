"""Runs the chaos tests that go by rounds for many rounds, some at a time, each with a new seed.

    python -m tests.chaos.campaign --rounds 1000 --jobs 4
    python -m tests.chaos.campaign --rounds 1000 --only holes lies

It prints a line for each run and ends with 1 when one failed; a failed run is repeated by the
command on its line.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from asyncio.subprocess import DEVNULL
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.running import ROOT

TESTS = {
    "unreadable": (
        "test_unreadable.py::test_what_cannot_be_read_is_waited_for_and_stored_once_it_can_be"
    ),
    "closings": ("test_closings.py::test_no_minute_is_called_over_while_trades_of_it_are_missing"),
    "holes": "test_holes.py::test_a_hole_is_one_gap_and_heals",
    "lies": "test_lies.py::test_lies_about_time_and_ids_change_nothing",
    "moved": "test_moved.py::test_a_trade_counts_at_the_time_that_it_was_given_last",
    "damage": "test_damage.py::test_what_spoilt_parts_held_is_fetched_again",
    "subscriptions": "test_storms.py::test_subscription_storms_starve_nobody",
    "timeframes": "test_storms.py::test_timeframes_do_not_pile_up",
    "synchronizations": ("test_storms.py::test_synchronizations_leave_the_weight_to_continuity"),
    "strangers": "test_strangers.py::test_strangers_get_nothing_and_disturb_nobody",
}
ROUNDS_A_RUN = 25
RUN_SECONDS = 1800.0


class Run(NamedTuple):
    """Some rounds of a test."""

    name: str
    seed: int
    rounds: int

    @property
    def command(self) -> str:
        """The command that runs it."""
        return (
            f"CHAOS_ROUNDS={self.rounds} CHAOS_SEED={self.seed} "
            f"python -m pytest tests/chaos/{TESTS[self.name]}"
        )


def runs(names: list[str], rounds: int, seed: int) -> Iterator[Run]:
    """The runs of a campaign, those of all tests in turn."""
    for number, done in enumerate(range(0, rounds, ROUNDS_A_RUN)):
        for name in names:
            yield Run(name, seed + number, min(ROUNDS_A_RUN, rounds - done))


async def run_all(pending: Iterator[Run], jobs: int, logs: Path) -> list[Run]:
    """Run all, so many at a time; gives those that failed."""
    failed: list[Run] = []

    async def worker() -> None:
        for run in pending:
            began, log = time.monotonic(), logs / f"{run.name}-{run.seed}.txt"
            # Runs that share a directory would take away each other's.
            with log.open("wb") as file, TemporaryDirectory() as directory:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "pytest", "-q", "-s", "-x"),
                    *("-p", "no:cacheprovider", f"--basetemp={directory}/run"),
                    f"tests/chaos/{TESTS[run.name]}",
                    cwd=ROOT,
                    env={
                        **os.environ,
                        "CHAOS_ROUNDS": str(run.rounds),
                        "CHAOS_SEED": str(run.seed),
                    },
                    stdin=DEVNULL,
                    stdout=file,
                    stderr=file,
                )
                try:
                    status = await asyncio.wait_for(process.wait(), RUN_SECONDS)
                except TimeoutError:
                    process.kill()
                    status = await process.wait()
            seconds = time.monotonic() - began
            if status:
                failed.append(run)
                print(f"FAILED {run.command}   # {log}", flush=True)
            else:
                log.unlink()
                print(
                    f"{run.name} seed {run.seed}: {run.rounds} rounds in {seconds:.0f} s",
                    flush=True,
                )

    await asyncio.gather(*(worker() for _ in range(jobs)))
    return failed


def main() -> int:
    """Run a campaign; returns 1 when a run failed."""
    parser = argparse.ArgumentParser(prog="campaign", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=1000, help="of each test (%(default)s)")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the first run (%(default)s)")
    parser.add_argument("--only", nargs="+", choices=TESTS, default=list(TESTS), metavar="TEST")
    parser.add_argument("--logs", type=Path, default=Path("data/campaign"))
    options = parser.parse_args()
    options.logs.mkdir(parents=True, exist_ok=True)
    pending = runs(options.only, options.rounds, options.seed)
    failed = asyncio.run(run_all(pending, options.jobs, options.logs))
    print(f"{len(failed)} runs failed" if failed else "all runs passed")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
