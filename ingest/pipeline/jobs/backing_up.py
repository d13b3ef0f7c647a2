"""Copies the store to a directory of its own, beside the feeds."""

from __future__ import annotations

import asyncio
import shutil
import threading
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from ingest.storage import back_up
from ingest.storage.backup import PARTIAL

from .means import Means
from .request import Memo, Report, Request

_DAY, _TIME = "[0-9]*-[0-9]*-[0-9]*", "[0-9]*-[0-9]*-[0-9]*"


async def backup(_: Request, means: Means, report: Report, __: Memo) -> bool:
    """Copy what is stored now; a copy that is cut short is none."""
    directory, loop = new_backup(means.backups), asyncio.get_running_loop()
    ended = threading.Event()

    def progress(done: int, total: int) -> None:
        if ended.is_set():
            raise InterruptedError
        text = f"{done / 1e6:,.0f} of {total / 1e6:,.0f} MB are copied ..."
        loop.call_soon_threadsafe(report.status, text)

    await asyncio.to_thread(_forget_partial, means.backups)
    copy = partial(back_up, means.store.store.connection, directory, progress)
    copying = asyncio.create_task(asyncio.to_thread(copy))
    try:
        made = await asyncio.shield(copying)
    except asyncio.CancelledError:
        ended.set()
        await asyncio.wait([copying])
        raise
    report.note(f"{directory}: {len(made.files):,} files, {made.bytes / 1e6:,.1f} MB")
    return False


def _forget_partial(backups: Path) -> None:
    """Remove what was cut short; nobody else makes backups of this store now."""
    for path in backups.glob(f"{_DAY}T{_TIME}Z{PARTIAL}"):
        shutil.rmtree(path, ignore_errors=True)


def new_backup(backups: Path) -> Path:
    """The directory of a backup that is made now."""
    return backups / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%S.%fZ}"
