"""`candlecast backup`: copies the store to the directory of the backups."""

from __future__ import annotations

import argparse
import asyncio

from rich.console import Console

from ingest.storage import back_up
from server.exits import Exit
from server.settings import Settings
from server.store import new_backup, opened_store

from .copying import CopyBar


async def backup(settings: Settings, _: argparse.Namespace) -> Exit:
    """Back up; prints the directory of the backup."""
    directory = new_backup(settings)
    async with opened_store(settings) as store:
        with CopyBar("Copying") as bar:
            made = await asyncio.to_thread(back_up, store.connection, directory, bar.update)
    Console(highlight=False, soft_wrap=True).print(
        f"{directory}: {len(made.files):,} files, {made.bytes / 1e6:,.1f} MB", markup=False
    )
    return Exit.DONE
