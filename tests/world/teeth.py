"""Checks that the world finds faults: each deliberate one within some seeds.

A fault is a patch in `faulty/`, the kind that a tired person writes; its first line says what it
does. Each is applied to a copy of the code, in which seeds run until one fails.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[2]
PATCHES: Final = Path(__file__).parent / "faulty"
COPIED: Final = ("generated", "handlers", "ingest", "tests/world")
SEEDS: Final = 2_000
_FAILED: Final = re.compile(r"^seed (\d+) fails: [0-9.]+ s: (.*)$", re.M)


class Fault(NamedTuple):
    """A deliberate fault."""

    name: str
    says: str
    patch: Path


class Caught(NamedTuple):
    """The first seed that finds a fault."""

    seed: int
    text: str


def faults(names: Sequence[str] = ()) -> list[Fault]:
    """All faults, or those of these names."""
    return [
        Fault(path.stem, path.read_text().partition("\n")[0], path)
        for path in sorted(PATCHES.glob("*.patch"))
        if not names or path.stem in names
    ]


def copied(target: Path) -> None:
    """Copy what a world needs."""
    for name in COPIED:
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    (target / "tests" / "__init__.py").touch()


def applied(fault: Fault, target: Path) -> None:
    """Put a fault into a copy; raises CalledProcessError where the code has changed too much."""
    subprocess.run(["git", "apply", str(fault.patch)], cwd=target, check=True)


def bite(fault: Fault, first: int, seeds: int, jobs: int) -> Caught | None:
    """Run seeds with a fault until one fails; None when none does."""
    with tempfile.TemporaryDirectory(prefix="teeth-") as directory:
        copied(Path(directory))
        applied(fault, Path(directory))
        command = [sys.executable, "-m", "tests.world", str(first), "--stop"]
        done = subprocess.run(
            [*command, f"--seeds={seeds}", f"--jobs={jobs}"],
            cwd=directory,
            env={"PYTHONPATH": directory, "PYTHONHASHSEED": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
        found = _FAILED.search(done.stdout)
        if found is None and done.returncode:
            raise RuntimeError(f"{fault.name}: {done.stdout[-500:]}{done.stderr[-2000:]}")
        return None if found is None else Caught(int(found[1]), found[2])


def rows(first: int, seeds: int, jobs: int, names: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """A row of the table for each fault, and whether it was found."""
    yield "| fault | seeds needed | what shows |\n|---|---|---|", True
    for fault in faults(names):
        caught = bite(fault, first, seeds, jobs)
        if caught is None:
            yield f"| {fault.says} (`{fault.name}`) | not found in {seeds} | |", False
        else:
            shows = re.split(r": Shown|, the nearest|: \{|: \[", caught.text)[0][:90]
            needed = caught.seed - first + 1
            yield f"| {fault.says} (`{fault.name}`) | {needed} | {shows} |", True


def main() -> int:
    """Print the table; 1 when a fault was not found."""
    parser = argparse.ArgumentParser(prog="python -m tests.world.teeth", description=__doc__)
    parser.add_argument("names", nargs="*", help="faults; all when none is given")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    failed = False
    for row, is_found in rows(options.first, options.seeds, options.jobs, options.names):
        print(row, flush=True)
        failed |= not is_found
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
