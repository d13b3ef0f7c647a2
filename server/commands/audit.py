"""`candlecast audit`: compares stored data with the trades and repairs what it can."""

from __future__ import annotations

import argparse
import time
from collections import Counter

from rich.console import Console

from ingest.core.errors import SettingError
from ingest.storage import AsyncStore, Difference, Store
from server.exits import Exit
from server.settings import Settings
from server.store import opened_store

from .arguments import symbol_list
from .resources import moment


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "--symbols", type=symbol_list, metavar="A,B", help="symbols (all that are stored)"
    )
    parser.add_argument(
        "--repair", action="store_true",
        help="write the candles that differ anew; missing trades are for `candlecast backfill`",
    )  # fmt: skip


async def audit(settings: Settings, options: argparse.Namespace) -> Exit:
    """Print one line per difference; FOUND when any is left unrepaired."""
    console = Console(highlight=False, soft_wrap=True)
    status = Console(stderr=True, highlight=False, soft_wrap=True)
    async with opened_store(settings) as store:
        calls = AsyncStore(store)
        if options.symbols:
            stored = await calls.trades.high_water()
            if unknown := [symbol for symbol in options.symbols if symbol not in stored]:
                raise SettingError(
                    f"The store has no symbol {', '.join(unknown)}; it has "
                    f"{', '.join(sorted(stored)) or 'none'}: correct --symbols"
                )
        began = time.monotonic()
        with status.status("Comparing ids and candles with the trades ..."):
            found = await store.run(_audit, store, options, console)
        seconds = time.monotonic() - began
        trades = (await calls.statistics()).trades
        left = found
        if found and options.repair:
            left = await store.run(_count, store, options)
    listed = ", ".join(f"{count:,} of {what}" for what, count in sorted(found.items()))
    console.print(
        f"{trades:,} trades and their candles were audited in {seconds:.1f} s: "
        + (f"differences: {listed}" if found else "no difference")
    )
    if found and options.repair:
        total, kept = sum(found.values()), sum(left.values())
        console.print(f"{total - kept:,} were mended, {kept:,} are left")
    return Exit.found(left)


def _audit(store: Store, options: argparse.Namespace, console: Console) -> Counter[str]:
    found: Counter[str] = Counter()
    for difference in store.audit.run(options.symbols, repair=options.repair):
        found[difference.what] += 1
        console.print(_line(difference), markup=False)
    return found


def _count(store: Store, options: argparse.Namespace) -> Counter[str]:
    return Counter(d.what for d in store.audit.run(options.symbols, repair=False))


def _line(difference: Difference) -> str:
    where = difference.where
    if isinstance(where, int) and difference.what != "ids":
        where = f"{moment(where)} ({where})"
    return f"{difference.symbol} {difference.what} {where}: {difference.text}"
