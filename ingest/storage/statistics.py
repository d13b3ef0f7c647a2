# ruff: noqa: S608  # statements are put together from constants of this package alone
"""The database's version, its size, and the memory that it takes."""

from __future__ import annotations

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
    trades: int
    bytes_on_disk: int
    memory_bytes: int
    """Memory that the engine counts as its own; of a cluster that of the node which answers."""
    cache_bytes: int


def statistics(connection: Connection) -> Statistics:
    """Ask the database for its version, size and memory."""
    [[version, trades, size]] = connection.rows(
        "SELECT version(), sumIf(rows, table = {trades:String}), sum(bytes_on_disk)"
        f" FROM {connection.layout.system('parts')}"
        " WHERE active AND database = currentDatabase()",
        {"trades": connection.layout.stored("trades")},
    )
    [[memory, caches]] = connection.rows(
        "SELECT sumIf(value, metric = 'MemoryTracking'),"
        " sumIf(value, metric IN {caches:Array(String)}) FROM system.metrics",
        {"caches": CACHES},
    )
    return Statistics(version, trades, size, max(0, memory), caches)
