"""`candlecast audit`: compares stored data with the trades and repairs what it can."""

from __future__ import annotations

import argparse

from generated.native.facts import JobKind
from ingest.pipeline.jobs.request import Request
from server.exits import Exit
from server.settings import Settings

from .arguments import symbol_list
from .work import add_server_arguments, work


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "--symbols", type=symbol_list, metavar="A,B", help="symbols (all that are stored)"
    )
    parser.add_argument(
        "--repair", action="store_true",
        help="write the candles that differ anew; missing trades are for `candlecast backfill`",
    )  # fmt: skip
    add_server_arguments(parser)


async def audit(settings: Settings, options: argparse.Namespace) -> Exit:
    """Print one line per difference; FOUND when any is left unrepaired."""
    symbols = ",".join(options.symbols) if options.symbols else None
    request = Request(kind=JobKind.AUDIT, symbols=symbols, repair=options.repair)
    return await work(settings, request, options)
