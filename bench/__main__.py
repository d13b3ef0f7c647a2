"""`python -m bench [NAME ...]`: run benchmarks and print figures beside their targets."""

from __future__ import annotations

import argparse
import os
import sys
import time

from rich.console import Console

from .catalogue import BENCHMARKS, Benchmark
from .errors import BenchError
from .machine import cores, describe
from .pages import write
from .report import QUICK_RESULTS, RESULTS, Result, save, show
from .scale import Scale


def main() -> int:
    arguments = _arguments()
    if arguments.list:
        for benchmark in BENCHMARKS.values():
            print(f"{benchmark.name:12} {benchmark.title}")
        return 0
    if arguments.write_docs:
        print(f"Written: {os.path.relpath(write(BENCHMARKS))}")
        return 0
    console = Console(width=None if sys.stdout.isatty() else 150)
    os.sched_setaffinity(0, {cores().load})
    failed = [
        name for name in arguments.names if not _run(BENCHMARKS[name], arguments.scale, console)
    ]
    folder = QUICK_RESULTS if arguments.quick else RESULTS
    console.print(f"Figures as JSON: {os.path.relpath(folder)}")
    if failed:
        console.print(f"Not completed: {', '.join(failed)}")
    return 1 if failed else 0


def _run(benchmark: Benchmark, scale: Scale, console: Console) -> bool:
    began = time.monotonic()
    try:
        figures = benchmark.run(scale)
    except BenchError as error:
        console.print(f"{benchmark.name}: {error}", style="red", markup=False)
        return False
    seconds = round(time.monotonic() - began, 1)
    result = Result(benchmark.name, benchmark.title, describe(), scale.quick, seconds, figures)
    save(result, QUICK_RESULTS if scale.quick else RESULTS)
    show(result, console)
    return True


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks to run (all)")
    parser.add_argument("--quick", action="store_true", help="a short run within a minute")
    parser.add_argument("--minutes", type=float, default=60.0, help="length of the soak")
    parser.add_argument(
        "--write-docs", action="store_true", help="write docs/benchmarks.md from the last results"
    )
    parser.add_argument("--list", action="store_true", help="list the benchmarks and exit")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)} (see --list)")
    if not arguments.names:
        chosen = (b for b in BENCHMARKS.values() if (b.quick if arguments.quick else b.full))
        arguments.names = [benchmark.name for benchmark in chosen]
    arguments.scale = Scale(arguments.quick, arguments.minutes)
    return arguments


if __name__ == "__main__":
    sys.exit(main())
