# ruff: noqa: S608  # statements are put together from constants of this package alone
"""The database's version, its size, and the memory that it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .connection import Connection

CACHES = [
    "IndexMarkCacheBytes",
    "MarkCacheBytes",
    "PrimaryIndexCacheBytes",
    "QueryConditionCacheBytes",
]
"""The engine's measures of the caches that `engine.xml` bounds."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """The engine and its size; rows that a merge has still to replace count too."""

    engine_version: str
    rows: Mapping[str, int]
    """By table."""
    trades: int
    bytes_on_disk: int
    memory_bytes: int
    """Memory that the engine counts as its own; of a cluster that of the node which answers."""
    cache_bytes: int
    free_bytes: int
    """Free bytes on the disk that is fullest, of those that the engine may use."""
    disk_bytes: int
    """The size of that disk."""


def statistics(connection: Connection) -> Statistics:
    """Ask the database for its version, size and memory."""
    tables = connection.rows(
        f"SELECT table, sum(rows), sum(bytes_on_disk) FROM {connection.layout.system('parts')}"
        " WHERE active AND database = currentDatabase() GROUP BY table"
    )
    rows = {table: number for table, number, _ in tables}
    [[version, memory, caches]] = connection.rows(
        "SELECT version(), sumIf(value, metric = 'MemoryTracking'),"
        " sumIf(value, metric IN {caches:Array(String)}) FROM system.metrics",
        {"caches": CACHES},
    )
    [[free, total]] = connection.rows(
        "SELECT min(free_space), argMin(total_space, free_space) FROM system.disks"
    )
    return Statistics(
        engine_version=version,
        rows=rows,
        trades=rows.get(connection.layout.stored("trades"), 0),
        bytes_on_disk=sum(size for *_, size in tables),
        memory_bytes=max(0, memory),
        cache_bytes=caches,
        free_bytes=free,
        disk_bytes=total,
    )
