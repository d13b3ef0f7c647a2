"""`candlecast backfill`: loads history into the store, with a progress bar."""

from __future__ import annotations

import argparse
from pathlib import Path

from generated.native.facts import JobKind, JobSource
from ingest.pipeline.jobs.request import Request
from server.exits import Exit
from server.settings import Settings

from .arguments import chosen_symbols, moment_ms
from .work import add_server_arguments, work


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "--from", dest="start", type=moment_ms, required=True, metavar="DATE",
        help="first day, month or time, in UTC: 2024-01-31, 2024-01, 2024-01-31T12:30",
    )  # fmt: skip
    parser.add_argument(
        "--to", dest="end", type=moment_ms, metavar="DATE",
        help="end, not itself part of the span (now)",
    )  # fmt: skip
    parser.add_argument(
        "--symbols", type=chosen_symbols, metavar="A,B", help="symbols (CANDLECAST_SYMBOLS)"
    )
    parser.add_argument(
        "--source", choices=tuple(JobSource), default=JobSource.ARCHIVE, type=JobSource,
        help="whole days and months from the exchange's public archive and the rest over REST, "
        "or everything over REST (%(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--directory", type=Path, metavar="PATH",
        help="where the archive's files are until they are stored (data/archive)",
    )  # fmt: skip
    add_server_arguments(parser)


async def backfill(settings: Settings, options: argparse.Namespace) -> Exit:
    """Backfill all symbols; FOUND when trades are still missing after it."""
    request = Request(
        kind=JobKind.BACKFILL,
        symbols=str(options.symbols) if options.symbols else None,
        start_ms=options.start,
        end_ms=options.end,
        source=options.source,
    )
    return await work(settings, request, options, options.directory)
