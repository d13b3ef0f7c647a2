"""Opens the store that the settings name."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from ingest.core.errors import StoreInUse, StoreUnavailable
from ingest.pipeline.jobs.backing_up import new_backup
from ingest.storage import Store, back_up
from ingest.storage.connection import Connection
from ingest.storage.memory import share_heap
from server.settings import Settings

log = logging.getLogger(__name__)


@asynccontextmanager
async def opened_store(settings: Settings) -> AsyncIterator[Store]:
    """Open the store; close it on exit.

    Raises StoreInUse when another process has the embedded database open, StoreUnavailable when
    the database cannot be opened, and SettingError for settings that match no database.
    """
    share_heap()
    try:
        hot_bytes = settings.hot_megabytes * 1_000_000
        store = await asyncio.to_thread(
            Store,
            settings.store,
            settings.cluster,
            hot_bytes,
            before_upgrade=partial(_before_upgrade, settings),
        )
    except StoreUnavailable as error:
        raise StoreUnavailable(f"{error} (CANDLECAST_STORE names the database)") from error
    except StoreInUse as error:
        raise StoreInUse(f"{error} CANDLECAST_STORE names the database.") from error
    try:
        yield store
    finally:
        await asyncio.to_thread(store.close)


def _before_upgrade(settings: Settings, connection: Connection, version: int) -> None:
    if not (settings.backup_before_upgrade and connection.is_embedded):
        log.warning("The store of version %s is brought up to date without a backup", version)
        return
    directory = new_backup(settings.backups_directory)
    log.warning("The store of version %s is backed up to %s first", version, directory)
    back_up(connection, directory, link=True)
