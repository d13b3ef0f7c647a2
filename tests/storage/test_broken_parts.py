"""A disk that ran full can leave parts in use that cannot be read: the store goes on without."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from ingest.core.errors import StoreUnavailable
from ingest.storage import Store
from ingest.storage.buckets import Buckets
from ingest.storage.connection import Connection

from .plain import trade

TRADES = [trade(n, time=n * 1000) for n in range(200)]


@pytest.mark.parametrize("ending", [".cmrk*", "data.bin"])
def test_a_merged_part_that_cannot_be_read_is_set_aside(tmp_path: Path, ending: str) -> None:
    with Store(f"chdb:///{tmp_path}/db") as store:
        store.trades.insert({"BTCUSDT": TRADES[:100]})
        store.trades.insert({"BTCUSDT": TRADES[100:]})
        store.candles.recompute({"BTCUSDT": [(0, 180_000)]})
        store.connection.rows("OPTIMIZE TABLE trades FINAL")
        [(path,)] = store.connection.rows(
            "SELECT path FROM system.parts WHERE table = 'trades' AND active"
        )
        spoilt = list(Path(path).glob(f"*{ending}"))
        for file in spoilt:
            file.write_bytes(b"")
        with pytest.raises(StoreUnavailable):
            store.trades.since("BTCUSDT", 0)
        assert [part.table for part in store.torn_parts] == ["trades"]
        store.trades.insert({"BTCUSDT": TRADES[:50]})
        assert store.trades.since("BTCUSDT", 0) == TRADES
        store.candles.recompute({"BTCUSDT": [(0, 180_000)]})
        assert list(store.audit.run(repair=False)) == []
    assert spoilt


def test_what_the_disk_did_not_take_is_not_acknowledged(tmp_path: Path) -> None:
    with Store(f"chdb:///{tmp_path}/db") as store:
        store.trades.insert({"BTCUSDT": TRADES[:100]})
        store.candles.recompute({"BTCUSDT": [(0, 60_000)]})
        store.connection.rows("SYSTEM STOP MERGES")
        with no_files(), pytest.raises(StoreUnavailable):
            store.candles.recompute({"BTCUSDT": [(0, 120_000)]})
        retried(lambda: store.trades.insert({"BTCUSDT": TRADES[100:]}))
        retried(lambda: store.candles.recompute({"BTCUSDT": [(0, 180_000)]}))
        assert store.trades.since("BTCUSDT", 0) == TRADES
        assert list(store.audit.run(repair=False)) == []


def test_a_timeframe_that_the_disk_did_not_take_is_made_again(tmp_path: Path) -> None:
    with Store(f"chdb:///{tmp_path}/db") as store:
        store.trades.insert({"BTCUSDT": TRADES})
        store.candles.recompute({"BTCUSDT": [(0, 180_000)]})
        with no_files(), pytest.raises(StoreUnavailable):
            store.candles.materialize("BTCUSDT", 2)
        assert not store.candles.pairs
        retried(lambda: store.candles.materialize("BTCUSDT", 2))
        assert store.connection.rows("SELECT candle_time FROM ohlcv_2_btcusdt_mv") == [(0,)]
    with Store(f"chdb:///{tmp_path}/db") as store:
        assert store.connection.rows("SELECT candle_time FROM ohlcv_2_btcusdt_mv") == [(0,)]


def test_a_bucket_that_the_disk_did_not_take_has_not_ended(tmp_path: Path) -> None:
    with Store(f"chdb:///{tmp_path}/db") as store:
        store.candles.materialize("BTCUSDT", 2)
        store.trades.insert({"BTCUSDT": TRADES})
        store.candles.recompute({"BTCUSDT": [(0, 180_000)]}, close=False)
        with no_files(), pytest.raises(StoreUnavailable):
            store.candles.close({"BTCUSDT": 180_000})
        retried(lambda: store.candles.recompute(store.candles.unsettled({"BTCUSDT": 180_000})))
        assert store.connection.rows("SELECT candle_time FROM candles FINAL") == [(0,)]
        assert list(store.audit.run(repair=False)) == []


def test_a_level_that_is_noted_though_it_failed_is_kept_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def failing(self: Connection) -> Iterator[None]:
        yield
        raise StoreUnavailable("another part was not written")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with Store(f"chdb:///{tmp_path}/db") as store:
        store.trades.insert({"BTCUSDT": [trade(n, time=n * 7000) for n in range(60)]})
        store.candles.recompute(store.candles.unsettled({"BTCUSDT": 180_000}))
        monkeypatch.setattr(Connection, "on_disk", failing)
        with pytest.raises(StoreUnavailable):
            store.candles.add_levels(1)
        with pytest.raises(StoreUnavailable):
            store.candles.materialize("BTCUSDT", 6)
        monkeypatch.undo()
        assert list(store.candles.written("BTCUSDT")) == []
        store.candles.recompute(store.candles.unsettled({"BTCUSDT": 420_000}))
        monkeypatch.setattr(Buckets, "fill", killed)
        with pytest.raises(KeyboardInterrupt):
            store.candles.add_levels(1)
    with Store(f"chdb:///{tmp_path}/db") as store:
        assert list(store.candles.written("BTCUSDT")) == [5, 6]
        assert list(store.audit.run(repair=False)) == []


def test_a_loss_that_another_caller_finds_first_is_everyones(tmp_path: Path) -> None:
    def write(store: Store) -> None:
        with store.connection.on_disk():
            with no_files(), suppress(StoreUnavailable):
                store.connection.command("INSERT INTO levels SELECT 'BTCUSDT', 5")
            with pytest.raises(StoreUnavailable), store.connection.on_disk():
                pass

    with Store(f"chdb:///{tmp_path}/db") as store:
        with pytest.raises(StoreUnavailable):
            write(store)
        with store.connection.on_disk():
            store.connection.command("INSERT INTO levels SELECT 'BTCUSDT', 5")
        assert store.connection.rows("SELECT * FROM levels") == [("BTCUSDT", 5)]


def test_a_definition_that_the_disk_did_not_take_is_not_acknowledged(tmp_path: Path) -> None:
    with no_files(), pytest.raises(StoreUnavailable):
        Store(f"chdb:///{tmp_path}/db").close()
    with Store(f"chdb:///{tmp_path}/db") as store:
        store.trades.insert({"BTCUSDT": TRADES})
        store.candles.materialize("BTCUSDT", 2)
    [view] = tmp_path.glob("db/metadata/*/ohlcv_2_btcusdt_mv.sql")
    view.write_bytes(b"")  # as of a program that ended right after
    with Store(f"chdb:///{tmp_path}/db") as store:
        assert view.stat().st_size
        assert store.trades.since("BTCUSDT", 0) == TRADES
        assert store.connection.rows("SELECT count() FROM ohlcv_2_btcusdt_mv") == [(0,)]


def retried(call: Callable[[], object]) -> None:
    """Make a call again until it succeeds, a few times."""
    for _ in range(5):
        with suppress(StoreUnavailable):
            call()
            return
    call()


@contextmanager
def no_files() -> Iterator[None]:
    """Let no file of this process take a byte, as a full disk does."""
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def part_files(store: Store, table: str, ending: str) -> list[Path]:
    rows = store.connection.rows(
        "SELECT path FROM system.parts WHERE active AND table = {table:String} ORDER BY name",
        {"table": table},
    )
    return [file for (path,) in rows for file in Path(path).glob(f"*{ending}")]


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("table", ["trades", "minutes", "progress", "held", "schema_version"])
def test_a_part_with_flipped_bits_is_set_aside(tmp_path: Path, table: str) -> None:
    dsn = f"chdb:///{tmp_path}/db"
    with Store(dsn) as store:
        for at in range(0, 200, 50):
            store.trades.insert({"BTCUSDT": TRADES[at : at + 50]})
        store.candles.recompute({"BTCUSDT": [(0, 180_000)]})
        spoilt = part_files(store, table, "data.bin")[0]
    flip(spoilt)
    with Store(dsn) as store:
        found = list(store.audit.run(repair=True))
        assert [part.table for part in store.torn_parts] == [table]
        ids = store.trades.id_range("BTCUSDT")
        assert ids is not None
        assert (ids.first, ids.last) == (0, 199)
        assert bool(ids.holes) == (table == "trades")
        assert any(d.what in ("part", "ids") for d in found) or table not in ("trades", "minutes")
        store.trades.insert({"BTCUSDT": TRADES})
        store.candles.recompute(store.candles.unsettled({"BTCUSDT": 180_000}))
        assert list(store.audit.run(repair=False)) == []
    assert len(list(tmp_path.glob(f"db/store/*/*/detached/{spoilt.parent.name}"))) == 1


@pytest.mark.parametrize("lost", [slice(0, 1), slice(3, 4), slice(0, 4)])
def test_ids_of_lost_parts_are_missed_wherever_they_lay(tmp_path: Path, lost: slice) -> None:
    dsn = f"chdb:///{tmp_path}/db"
    with Store(dsn) as store:
        for at in range(0, 200, 50):
            store.trades.insert({"BTCUSDT": TRADES[at : at + 50]})
        spoilt = part_files(store, "trades", "data.bin")
        assert len(spoilt) == 4
    for file in spoilt[lost]:
        file.write_bytes(file.read_bytes()[:20])
    with Store(dsn) as store:
        ids = store.trades.id_range("BTCUSDT")
        assert ids == store.trades.id_ranges()["BTCUSDT"]
        assert ids is not None
        assert ids.first == 0
        assert ids.count == 50 * (4 - len(spoilt[lost]))
        assert [hole.from_id for hole in ids.holes] == ([0] if lost.start == 0 else [])


def test_the_lowest_id_of_a_symbol_is_noted_again_where_its_note_is_lost(tmp_path: Path) -> None:
    dsn = f"chdb:///{tmp_path}/db"
    with Store(dsn) as store:
        store.trades.insert({"BTCUSDT": TRADES})
        store.trades.insert({"ETHUSDT": TRADES})
        [spoilt, _] = part_files(store, "held", "data.bin")
    spoilt.write_bytes(spoilt.read_bytes()[:20])
    with Store(dsn) as store:
        store.trades.insert({"BTCUSDT": TRADES[150:], "ETHUSDT": TRADES[150:]})
        [lost] = part_files(store, "trades", "data.bin")[:1]
        assert sorted(store.connection.rows("SELECT symbol, first_id FROM held FINAL")) == [
            ("BTCUSDT", 0),
            ("ETHUSDT", 0),
        ]
    lost.write_bytes(lost.read_bytes()[:20])
    with Store(dsn) as store:
        ranges = store.trades.id_ranges()
        assert [ids.first for ids in ranges.values()] == [0, 0]
