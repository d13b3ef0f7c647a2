"""Seeds of the simulated world: `make world SEED=n` replays one step by step."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.world import teeth

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "world.md"
KEPT = (
    858, 1100, 5041, 10192, 20086, 21245, 30394, 33080, 37216, 42339, 43911, 44409, 55748, 61104,
    65623, 74523, 87292, 116620,
)  # fmt: skip
"""Seeds beyond those that run anyway, which have found faults."""
SEEDS = 300
SEEDS_A_RUN = 50


def world(*options: str) -> str:
    """The output of a run, which has to end well."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.world", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("first", range(0, SEEDS, SEEDS_A_RUN))
def test_all_holds_in_every_seed(first: int) -> None:
    assert f"{SEEDS_A_RUN} seeds, 0 failed" in world(str(first), f"--seeds={SEEDS_A_RUN}")


@pytest.mark.parametrize("seed", KEPT)
def test_all_holds_where_a_fault_was_found(seed: int) -> None:
    assert "All holds." in world(str(seed), "--quiet")


def test_all_holds_on_the_real_engine() -> None:
    assert "6 seeds, 0 failed" in world("7", "--seeds=6", "--engine")


def test_a_seed_is_the_same_world_each_time() -> None:
    once, again = (world("5").splitlines() for _ in range(2))
    # Replies carry this machine's time.
    assert [line for line in once if "timestamp" not in line] == [
        line for line in again if "timestamp" not in line
    ]


@pytest.mark.parametrize("command", re.findall(r"^make world .+$", PAGE.read_text(), re.M))
def test_the_commands_of_the_page_run(command: str) -> None:
    done = subprocess.run(command.split(), cwd=ROOT, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stdout + done.stderr
    assert re.search(r"All holds\.|\d+ seeds, 0 failed", done.stdout)


@pytest.mark.parametrize("name", ["gap-off-by-one", "confirmed-at-once", "first-bucket-shown"])
def test_a_deliberate_fault_is_found(name: str) -> None:
    [fault] = teeth.faults([name])
    assert teeth.bite(fault, first=0, seeds=40, jobs=1) is not None


@pytest.mark.parametrize("fault", teeth.faults(), ids=lambda fault: fault.name)
def test_each_deliberate_fault_can_be_put_into_the_code(fault: teeth.Fault) -> None:
    done = subprocess.run(
        ["git", "apply", "--check", str(fault.patch)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stderr


def test_the_page_has_the_seeds_that_each_deliberate_fault_needs() -> None:
    rows = re.findall(r"^\| (.+) \(`([a-z-]+)`\) \| (\d+) \|", PAGE.read_text(), re.M)
    assert [row[:2] for row in rows] == [(f.says, f.name) for f in teeth.faults()]
    assert all(int(needed) <= teeth.SEEDS for *_, needed in rows)
