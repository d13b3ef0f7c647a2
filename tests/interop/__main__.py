"""Runs the clients: all of them, or those that are named by their programs."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence

from tests.interop import environments, page
from tests.interop.catalogue import CLIENTS, Client
from tests.interop.runner import Result, world


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.interop", description=__doc__)
    parser.add_argument("clients", nargs="*", help="programs in clients/ (all)")
    parser.add_argument("--write-docs", action="store_true", help=f"write the table of {page.NAME}")
    chosen = parser.parse_args()
    if chosen.clients and chosen.write_docs:
        parser.error("the table is that of all clients")
    return chosen


async def run(clients: Sequence[Client]) -> list[Result]:
    """Run clients and print each result."""
    results = []
    async with world() as made:
        async for result in made.run(clients):
            results.append(result)
            name = f"{result.client.name} {result.version} against the {result.against}"
            if result.failure:
                print(f"FAILED {name}\n{result.failure}", flush=True)
            else:
                print(f"{name}: {result.values} values, {result.seconds:.0f} s", flush=True)
    return results


def main() -> int:
    """Install what is missing, run the clients, and write the table."""
    chosen, started = arguments(), time.monotonic()
    clients = [each for each in CLIENTS if not chosen.clients or each.program in chosen.clients]
    for name in sorted({each.environment for each in clients}):
        environments.make_python(name)
    environments.make_node()
    results = asyncio.run(run(clients))
    failed = sum(bool(result.failure) for result in results)
    if chosen.write_docs and not failed:
        page.write(results)
    print(f"all in {time.monotonic() - started:.0f} s")
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
