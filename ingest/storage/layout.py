"""Where the tables are: in one database, or sharded by symbol and replicated over a cluster.

On a cluster each table is two: `trades_local` on every node has the rows of its shard, `trades`
reads and writes all shards. All rows of a symbol are on one shard, so a symbol's minutes are made
of its trades where these are.
"""

from __future__ import annotations

import re

from ..core.errors import SettingError

CLUSTER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}", re.ASCII)
_TABLE = re.compile(r"CREATE TABLE IF NOT EXISTS (\w+) \(")
_ENGINE = re.compile(r"ENGINE = (\w*MergeTree)(?:\((\w+)\))?")

CLUSTER_SETTINGS = {
    "distributed_foreground_insert": 1,
    "distributed_product_mode": "local",
    "insert_deduplicate": 0,
    "insert_quorum": "auto",
    "load_balancing": "in_order",
    "optimize_skip_unused_shards": 1,
    "parallel_distributed_insert_select": 2,
}
"""An insert is acknowledged when most replicas of its shard have it. Rows replace each other by
their key; to drop an insert because an equal one was made before would lose what was deleted in
between. Each node asks the same replica as long as that answers, so it reads what it wrote."""


class Layout:
    """The names by which statements reach the tables."""

    def __init__(self, cluster: str = "") -> None:
        """An empty name is one database. Raises SettingError."""
        if cluster and not CLUSTER_NAME.fullmatch(cluster):
            raise SettingError(
                f"{cluster[:50]!r} cannot be the name of a cluster: letters, digits and _"
            )
        self.cluster = cluster
        self.on_cluster = f" ON CLUSTER `{cluster}`" if cluster else ""
        """Where a statement about tables and views applies."""

    def create(self, statement: str, database: str) -> list[str]:
        """The statements that create the table of this one."""
        if not self.cluster:
            return [statement]
        [name] = _TABLE.findall(statement)
        local = _TABLE.sub(rf"CREATE TABLE IF NOT EXISTS \1_local{self.on_cluster} (", statement)
        shard = "sipHash64(symbol)" if re.search(r"^ +symbol ", statement, re.M) else "rand()"
        return [
            _ENGINE.sub(_replicated, local),
            f"CREATE TABLE IF NOT EXISTS {name}{self.on_cluster} AS {name}_local"
            f" ENGINE = Distributed(`{self.cluster}`, `{database}`, {name}_local, {shard})",
        ]

    def stored(self, table: str) -> str:
        """The name of the table that has the rows themselves."""
        return f"{table}_local" if self.cluster else table

    def changed(self, table: str) -> str:
        """How a statement that deletes rows or alters a table names it."""
        return f"{self.stored(table)}{self.on_cluster}"

    def system(self, table: str) -> str:
        """A table of the system, of one replica of each shard."""
        return f"cluster(`{self.cluster}`, system.{table})" if self.cluster else f"system.{table}"


def _replicated(match: re.Match[str]) -> str:
    version = f", {match[2]}" if match[2] else ""
    path = "/clickhouse/tables/{shard}/{database}/{table}"
    return f"ENGINE = Replicated{match[1]}('{path}', '{{replica}}'{version})"
