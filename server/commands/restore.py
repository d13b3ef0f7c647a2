"""`candlecast restore`: makes the store of a backup."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from rich.console import Console

from ingest import storage
from ingest.storage.memory import share_heap
from server.exits import Exit
from server.settings import Settings

from .copying import CopyBar


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "backup", type=Path, metavar="DIRECTORY", help="the directory that `candlecast backup` made"
    )
    parser.add_argument(
        "--replace", action="store_true", help="move a store that is there already aside"
    )


async def restore(settings: Settings, options: argparse.Namespace) -> Exit:
    """Restore, and check each part; prints where the store is."""
    share_heap()
    with CopyBar("Restoring") as bar:
        aside = await asyncio.to_thread(
            storage.restore, options.backup, settings.store, bar.update, replace=options.replace
        )
    console = Console(highlight=False, soft_wrap=True)
    if aside is not None:
        console.print(f"The store that was there is in {aside} now", markup=False)
    console.print(
        f"{settings.store} is restored and each part of it sound; `candlecast audit` compares "
        "its candles with the trades",
        markup=False,
    )
    return Exit.DONE
