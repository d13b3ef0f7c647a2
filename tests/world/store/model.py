"""A store in memory: the storage package's own logic over tables that are plain objects."""

from __future__ import annotations

from ingest.storage import Statistics, Store
from ingest.storage.schema import VERSION
from ingest.storage.store import Parts

from .candles import ModelBuckets, ModelPages
from .comparison import ModelComparison
from .connection import ModelConnection
from .disk import ROW_BYTES, Disk
from .notes import (
    ModelBegins,
    ModelChoices,
    ModelGaps,
    ModelHeld,
    ModelProgress,
    ModelQuarantine,
    ModelRetention,
    ModelTimeframes,
    ModelTorn,
)
from .trades import ModelMoved, ModelTrades
from .weather import Weather


class ModelStore(Store):
    """One process' store on a disk; another one on the same disk is the next process.

    Only the statements are modelled, each by one method of a part. `close` ends it in order, `kill`
    as a killed process ends: what it has in memory is gone, and it makes no statement any more.
    """

    parts = Parts(
        progress=ModelProgress,
        torn=ModelTorn,
        retention=ModelRetention,
        buckets=ModelBuckets,
        timeframes=ModelTimeframes,
        held=ModelHeld,
        moved=ModelMoved,
        trades=ModelTrades,
        pages=ModelPages,
        gaps=ModelGaps,
        choices=ModelChoices,
        begins=ModelBegins,
        quarantine=ModelQuarantine,
        comparison=ModelComparison,
    )
    connection: ModelConnection

    def __init__(self, disk: Disk, weather: Weather) -> None:
        """Open the disk as a start of the process does; may raise what the weather raises."""
        self._start(ModelConnection(disk, weather))

    def _create_tables(self) -> int:
        self.connection.begin("create tables")
        self.connection.end("create tables")
        return VERSION

    def statistics(self) -> Statistics:
        """How many trades there are, and about how much room they take."""
        trades = self.connection.reading().trade_count()
        return Statistics(
            engine_version="model",
            rows={"trades": trades},
            trades=trades,
            bytes_on_disk=trades * ROW_BYTES,
            memory_bytes=0,
            cache_bytes=0,
            free_bytes=0,
            disk_bytes=0,
        )

    def kill(self) -> None:
        """End as a killed process does."""
        self.connection.close()
