"""The tables of a cluster, as the engine's own parser reads them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.core.errors import SettingError
from ingest.storage import Store
from ingest.storage.connection import Connection
from ingest.storage.layout import Layout
from ingest.storage.schema import TABLES


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    opened = Connection(f"chdb://{tmp_path}/db")
    yield opened
    opened.close()


def test_the_engine_reads_every_statement_as_it_is_meant(connection: Connection) -> None:
    layout = Layout("market")
    for name, table in TABLES.items():
        local, spread = layout.create(table, "candlecast")
        for statement in (local, spread):
            [[read]] = connection.rows(
                "SELECT formatQuerySingleLine({text:String})", {"text": statement}
            )
            assert " ON CLUSTER market " in read
        [[read]] = connection.rows("SELECT formatQuerySingleLine({text:String})", {"text": local})
        assert f"CREATE TABLE IF NOT EXISTS {name}_local " in read
        assert "MergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}'" in read, (
            read
        )
        versions = {"minutes": ", aggregates)", "candles": ", aggregates)", "jobs": ", revision)"}
        version = versions.get(name, "'{replica}')")
        assert version in read
        [[read]] = connection.rows("SELECT formatQuerySingleLine({text:String})", {"text": spread})
        has_symbol = name not in ("schema_version", "torn_parts", "jobs", "job_lines")
        key = "sipHash64(symbol)" if has_symbol else "rand()"
        expected = f"ENGINE = Distributed(market, candlecast, {name}_local, {key})"
        assert read.endswith(expected)
        assert f" AS {name}_local " in read


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM {changed} WHERE symbol = 'BTCUSDT'",
        "ALTER TABLE {changed} DELETE WHERE symbol = 'BTCUSDT'",
        "CREATE OR REPLACE VIEW a{on_cluster} AS SELECT 1",
        "DROP VIEW IF EXISTS a{on_cluster}",
        "SELECT count() FROM {system}",
    ],
)
def test_the_engine_reads_what_changes_a_cluster(connection: Connection, statement: str) -> None:
    layout = Layout("market")
    text = statement.format(
        changed=layout.changed("candles"),
        on_cluster=layout.on_cluster,
        system=layout.system("parts"),
    )
    assert connection.rows(f"EXPLAIN AST {text}")
    if "{changed}" in statement:
        assert "candles_local ON CLUSTER `market`" in text


def test_one_database_has_plain_tables() -> None:
    layout = Layout()
    assert [layout.create(table, "x") for table in TABLES.values()] == [
        [t] for t in TABLES.values()
    ]
    assert (layout.changed("trades"), layout.system("parts")) == ("trades", "system.parts")


@pytest.mark.parametrize("name", ["a b", "a`b", "1a", "é"])
def test_a_cluster_has_a_plain_name(name: str) -> None:
    with pytest.raises(SettingError, match="name of a cluster"):
        Layout(name)


def test_an_embedded_database_has_no_cluster(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no cluster"):
        Store(f"chdb://{tmp_path}/db", "market")


def test_a_cluster_that_the_database_does_not_know_is_named(cluster_front: str) -> None:
    with pytest.raises(SettingError, match="CANDLECAST_CLUSTER"):
        Store(f"{cluster_front}/elsewhere", "elsewhere")
