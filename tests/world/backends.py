"""Stores for the processes of a world: the model, or the real engine."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from ingest.storage import Store
from ingest.storage.connection import Connection
from tests.world.process import StoreWeather
from tests.world.store.disk import Disk
from tests.world.store.engine import EngineStore
from tests.world.store.model import ModelStore

DAMAGED = ("trades", "trades", "minutes", "candles", "progress")


class ModelBackend:
    """A disk in memory, and the store's own logic over it."""

    def __init__(self) -> None:
        self._disk = Disk()

    def open(self, weather: StoreWeather) -> Store:
        """The store as a new process finds it."""
        return ModelStore(self._disk, weather)

    def damage(self, luck: random.Random) -> None:
        """Let the first part of a table be unreadable, or one of the last."""
        self._disk.damage(luck.choice(DAMAGED), luck.choice((0, -1, -2, -3)))


class EngineBackend:
    """The embedded engine, which stays open while processes come and go."""

    def __init__(self, connection: Connection) -> None:
        """Begins with empty tables."""
        self._connection = connection
        rows = connection.rows(
            "SELECT name, engine FROM system.tables WHERE database = currentDatabase()"
        )
        for name, engine in rows:
            verb = "DROP VIEW" if engine == "View" else "TRUNCATE TABLE"
            connection.command(f"{verb} `{name}` SYNC")

    def open(self, weather: StoreWeather) -> Store:
        """The store as a new process finds it."""
        return EngineStore(self._connection, weather)

    def damage(self, luck: random.Random) -> None:
        """The engine is not damaged here; `tests/chaos/test_damage.py` does that."""


@contextmanager
def engine() -> Iterator[Connection]:
    """An engine in a directory of its own."""
    with tempfile.TemporaryDirectory(prefix="world-") as directory:
        connection = Connection(f"chdb://{directory}/db")
        try:
            yield connection
        finally:
            connection.close()
