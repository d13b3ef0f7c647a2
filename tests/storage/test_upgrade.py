"""A store of each earlier version is opened, and brought up to date from its trades."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from ingest.core.candle import Candle
from ingest.core.timeframe import bucket_start
from ingest.storage import Store
from ingest.storage.connection import Connection, Parameters
from ingest.storage.schema import VERSION
from ingest.storage.timeframes import LEVELS

from . import plain
from .old_stores import DAYS, END, KEPT_SINCE, STORES, TRADES, unpack

VERSIONS = range(1, VERSION)
TIMEFRAMES = (1, 5, 173, 2880, 60)
WHOLE = 10**6
"""More than there are candles."""


def check(store: Store) -> None:
    """Hold all candles against the trades that they were made of."""
    assert store.connection.rows("SELECT max(version) FROM schema_version") == [(VERSION,)]
    assert list(store.audit.run(repair=False)) == []
    for timeframe in TIMEFRAMES:
        end = bucket_start(END, timeframe)
        expected = plain.candles(TRADES, timeframe, end, WHOLE)
        assert of(store, "BTCUSDT", timeframe) == expected
        # What has expired can tell its raw ids no more; all else stays.
        got = of(store, "ETHUSDT", timeframe)
        assert [without_ids(each) for each in got] == [without_ids(each) for each in expected]
        for (time, bucket), (_, whole) in zip(got, expected, strict=True):
            ids, width = bucket.raw_ids, timeframe * 60_000
            is_first_known = time >= KEPT_SINCE
            assert ids[0] == (whole.raw_ids[0] if is_first_known else -1)
            if is_first_known or time + width <= KEPT_SINCE:
                assert ids[1] == (whole.raw_ids[1] if is_first_known else -1)
            else:
                assert ids[1] in (whole.raw_ids[1], -1)


def of(store: Store, symbol: str, timeframe: int) -> list[tuple[int, plain.Bucket]]:
    found: list[Candle] = store.candles.read(symbol, timeframe, END, WHOLE)
    return [plain.of_candle(candle) for candle in found]


def without_ids(dated: tuple[int, plain.Bucket]) -> tuple[int, plain.Bucket]:
    time, bucket = dated
    return time, plain.Bucket(**(vars(bucket) | {"raw_ids": plain.NO_IDS}))


def test_there_is_a_store_of_each_earlier_version() -> None:
    names = {f"version-{version}.tar.xz" for version in VERSIONS}
    assert {path.name for path in STORES.iterdir()} == names


@pytest.mark.parametrize("version", VERSIONS)
def test_a_store_of_an_earlier_version_is_brought_up_to_date(tmp_path: Path, version: int) -> None:
    dsn = unpack(version, tmp_path)
    for _ in range(2):
        with Store(dsn) as store:
            check(store)
            store.candles.add_levels(2)
            assert set(LEVELS) <= set(store.candles.written("ETHUSDT"))
            check(store)
            assert store.connection.rows(
                "SELECT uniqExact(first_raw_id) FROM ohlcv_173_btcusdt_mv"
            ) == store.connection.rows("SELECT count() FROM ohlcv_173_btcusdt_mv")


class Killed(BaseException):
    """Stands for the end of the process."""


def test_an_upgrade_that_is_cut_short_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn, written, limit = unpack(2, tmp_path), 0, 0
    command = Connection.command

    def cut(self: Connection, sql: str, parameters: Parameters | None = None) -> None:
        nonlocal written
        if sql.lstrip().startswith(("ALTER", "INSERT", "CREATE OR", "DROP")):
            written += 1
            if written == limit:
                raise Killed
        command(self, sql, parameters)

    monkeypatch.setattr(Connection, "command", cut)
    is_done = False
    while not is_done:
        written, limit = 0, limit + 1
        with suppress(Killed), Store(dsn) as store:
            check(store)
            is_done = True
    assert DAYS // 30 + 5 < limit < 60


def test_tables_elsewhere_are_brought_up_to_date(fresh_store: Store) -> None:
    trades = TRADES[:500]
    fresh_store.trades.insert({"BTCUSDT": trades})
    fresh_store.candles.recompute(fresh_store.candles.unsettled({"BTCUSDT": END}))
    fresh_store.candles.materialize("BTCUSDT", 173)
    connection, layout = fresh_store.connection, fresh_store.connection.layout
    connection.command(f"DROP VIEW `ohlcv_173_btcusdt_mv`{layout.on_cluster}")
    for table in ("minutes", "candles"):
        for name in dict.fromkeys([table, layout.stored(table)]):
            for column in ("first_raw_id", "last_raw_id"):
                connection.command(f"ALTER TABLE {name}{layout.on_cluster} DROP COLUMN {column}")
    connection.command(f"DELETE FROM {layout.changed('schema_version')} WHERE version > 2")
    connection.note("INSERT INTO schema_version (version) SELECT 2")
    fresh_store.close()
    with Store(connection.dsn, layout.cluster) as store:
        assert list(store.audit.run(repair=False)) == []
        for timeframe in TIMEFRAMES:
            end = bucket_start(trades[-1].timestamp, timeframe)
            got = [plain.of_candle(c) for c in store.candles.read("BTCUSDT", timeframe, end, WHOLE)]
            assert got == plain.candles(trades, timeframe, end, WHOLE)
