"""`candlecast reconcile`: compares our candles with the exchange's and explains differences."""

from __future__ import annotations

import argparse

from generated.native.facts import JobKind
from ingest.pipeline.jobs.request import Request
from ingest.pipeline.reconcile import INTERVALS
from server.exits import Exit
from server.settings import Settings

from .arguments import moment_ms, one_symbol
from .work import add_server_arguments, work


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
    add_server_arguments(parser)


async def reconcile(settings: Settings, options: argparse.Namespace) -> Exit:
    """Print one line per difference; FOUND when one is more than truncation."""
    request = Request(
        kind=JobKind.RECONCILE,
        symbols=options.symbol,
        start_ms=options.start,
        end_ms=options.end,
        timeframe=options.timeframe,
    )
    return await work(settings, request, options)
