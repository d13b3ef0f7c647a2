"""Opens the store that the settings name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ingest.core.errors import StoreInUse, StoreUnavailable
from ingest.storage import Store
from ingest.storage.memory import share_heap
from server.settings import Settings


@asynccontextmanager
async def opened_store(settings: Settings) -> AsyncIterator[Store]:
    """Open the store; close it on exit.

    Raises StoreInUse when another process has the embedded database open, StoreUnavailable when
    the database cannot be opened, and SettingError for settings that match no database.
    """
    share_heap()
    try:
        hot_bytes = settings.hot_megabytes * 1_000_000
        store = await asyncio.to_thread(Store, settings.store, settings.cluster, hot_bytes)
    except StoreUnavailable as error:
        raise StoreUnavailable(f"{error} (CANDLECAST_STORE names the database)") from error
    except StoreInUse as error:
        raise StoreInUse(f"{error} CANDLECAST_STORE names the database.") from error
    try:
        yield store
    finally:
        await asyncio.to_thread(store.close)
