# ruff: noqa: S608  # statements are put together from constants of this package alone
"""The database's version and size."""

from __future__ import annotations

from dataclasses import dataclass

from .connection import Connection


@dataclass(frozen=True, slots=True)
class Statistics:
    """The engine and its size; rows that a merge has still to replace count too."""

    engine_version: str
    trades: int
    bytes_on_disk: int


def statistics(connection: Connection) -> Statistics:
    """Ask the database for its version and size."""
    [[version, trades, size]] = connection.rows(
        "SELECT version(), sumIf(rows, table = {trades:String}), sum(bytes_on_disk)"
        f" FROM {connection.layout.system('parts')}"
        " WHERE active AND database = currentDatabase()",
        {"trades": connection.layout.stored("trades")},
    )
    return Statistics(version, trades, size)
