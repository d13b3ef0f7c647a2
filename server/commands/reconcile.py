"""`candlecast reconcile`: compares our candles with the exchange's and explains differences."""

from __future__ import annotations

import argparse
import time
from collections import Counter

from rich.console import Console

from ingest.core.symbol import Symbols
from ingest.pipeline.reconcile import FIELDS, INTERVALS, Cause, KlineDifference, Reconciliation
from ingest.storage import AsyncStore
from server.exits import Exit
from server.settings import Settings
from server.store import opened_store

from .arguments import moment_ms, one_symbol
from .resources import listed_symbols, moment, opened_exchange


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("symbol", type=one_symbol, metavar="SYMBOL")
    parser.add_argument(
        "--from", dest="start", type=moment_ms, required=True, metavar="DATE",
        help="first day, month or time, in UTC: 2024-01-31, 2024-01, 2024-01-31T12:30",
    )  # fmt: skip
    parser.add_argument(
        "--to", dest="end", type=moment_ms, metavar="DATE",
        help="end, not itself part of the span (now)",
    )  # fmt: skip
    parser.add_argument(
        "--timeframe", type=int, choices=tuple(INTERVALS), default=1, metavar="MINUTES",
        help=f"one that the exchange has: {', '.join(map(str, INTERVALS))} (%(default)s)",
    )  # fmt: skip


async def reconcile(settings: Settings, options: argparse.Namespace) -> Exit:
    """Print one line per difference; FOUND when one is more than truncation."""
    console = Console(highlight=False, soft_wrap=True)
    status = Console(stderr=True, highlight=False, soft_wrap=True)
    causes: Counter[Cause] = Counter()
    began = time.monotonic()
    async with opened_exchange(settings) as rest, opened_store(settings) as store:
        await listed_symbols(rest, Symbols((options.symbol,)))
        end_ms = options.end if options.end is not None else await rest.server_time()
        work = Reconciliation(AsyncStore(store), rest, options.symbol, options.timeframe)
        with status.status("Asking the exchange for its klines ...") as shown:
            async for difference in work.run(options.start, end_ms):
                causes[difference.cause] += 1
                console.print(_line(options, difference), markup=False)
                shown.update(f"{work.tally.candles:,} candles compared ...")
    tally = work.tally
    console.print(
        f"{tally.candles:,} candles from {moment(tally.from_ms)} to {moment(tally.until_ms)} were "
        f"compared in {time.monotonic() - began:.1f} s, {len(FIELDS)} fields of each: "
        + (f"{causes.total():,} differences" if causes else "no difference")
    )
    if tally.quiet:
        console.print(f"  {tally.quiet:8,}  quiet candles that one side alone has: no difference")
    for cause, count in causes.most_common():
        console.print(f"  {count:8,}  {cause.value}", markup=False)
    return Exit.found(causes.keys() - {Cause.TRUNCATION})


def _line(options: argparse.Namespace, difference: KlineDifference) -> str:
    why = difference.cause.value + (f" ({difference.detail})" if difference.detail else "")
    return (
        f"{options.symbol} {options.timeframe}m {moment(difference.candle_time)} "
        f"{difference.field}: ours {difference.ours or 'missing'}, "
        f"the exchange's {difference.theirs or 'missing'}: {why}"
    )
