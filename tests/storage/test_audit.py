from __future__ import annotations

from collections.abc import Sequence

import pytest

from ingest.storage import Store

from . import plain
from .plain import trade

MINUTE = 60_000
NEXT_MONTH = 2_700_000_000 // MINUTE * MINUTE


@pytest.fixture
def audited_store(fresh_store: Store) -> Store:
    """Two symbols with 300 trades each over 100 minutes, some quiet, at two or no timeframes."""
    fresh_store.candles.materialize("ETHUSDT", 7)
    fresh_store.candles.materialize("ETHUSDT", 60)
    for symbol in ("BTCUSDT", "ETHUSDT"):
        trades = [
            trade(n, time=n // 3 * MINUTE + n % 3 * 1000, price=str(100 + n % 11), raw=1 + n % 3,
                  taker_sold=n % 2 == 0)
            for n in range(300) if n // 3 % 10
        ]  # fmt: skip
        trades += [plain.tombstone(n, n // 3 * MINUTE) for n in range(300) if not n // 3 % 10]
        fresh_store.trades.insert({symbol: trades})
        fresh_store.candles.recompute({symbol: [(0, 100 * MINUTE)]})
    return fresh_store


def command(store: Store, statement: str) -> None:
    """Change the store behind its back."""
    store.connection.command(statement)


def found(store: Store, *, repair: bool = False) -> list[str]:
    return [str(difference) for difference in store.audit.run(repair=repair)]


def test_a_sound_store_has_no_differences(audited_store: Store) -> None:
    assert found(audited_store) == []


def test_missing_ids_are_named_unless_they_are_confirmed(audited_store: Store) -> None:
    audited_store.trades.insert({"BTCUSDT": [trade(310, time=200 * MINUTE)]})
    assert found(audited_store) == ["BTCUSDT ids 300: 10 trades up to id 309 are missing"]
    audited_store.gaps.confirm("BTCUSDT", 300, 304, 3)
    assert found(audited_store) == ["BTCUSDT ids 305: 5 trades up to id 309 are missing"]
    audited_store.gaps.confirm("BTCUSDT", 305, 309, 3)
    assert found(audited_store) == []


@pytest.mark.parametrize("moved", [[299], [0], [150, 151, 152], range(40, 290)])
def test_ids_with_two_times_in_two_months_are_named_and_mended(
    audited_store: Store, moved: Sequence[int]
) -> None:
    audited_store.candles.recompute({"ETHUSDT": [(NEXT_MONTH, NEXT_MONTH + MINUTE)]})
    before = everything(audited_store)
    for number in moved:
        command(
            audited_store,
            f"INSERT INTO trades SELECT 'ETHUSDT', {number}, 500, 2, 7, 8, {NEXT_MONTH}, true",
        )
    audited_store.candles.recompute({"ETHUSDT": [(NEXT_MONTH, NEXT_MONTH + MINUTE)]})
    named = [line for line in found(audited_store) if "stored with several times" in line]
    assert [int(line.split()[2][:-1]) for line in named] == list(moved)
    found(audited_store, repair=True)
    assert found(audited_store) == []
    assert everything(audited_store) == before


@pytest.mark.parametrize("to", [5 * MINUTE + 7, NEXT_MONTH])
def test_a_moved_trade_leaves_nothing_where_it_was(audited_store: Store, to: int) -> None:
    audited_store.trades.insert({"ETHUSDT": [trade(270, time=to, price="900")]})
    spans = audited_store.candles.unsettled({"ETHUSDT": NEXT_MONTH + MINUTE})
    audited_store.candles.recompute(spans)
    assert found(audited_store) == []
    trades = audited_store.trades.since("ETHUSDT", 0)
    assert [t.timestamp for t in trades if t.aggregate_id == 270] == [to]


@pytest.mark.parametrize("to", [5 * MINUTE + 7, 99 * MINUTE])
def test_a_trade_that_an_archive_moves_leaves_nothing_either(audited_store: Store, to: int) -> None:
    lines = [f"{n},100.5,1,{n * 10},{n * 10},{to},True,True\n" for n in range(268, 272)]
    audited_store.trades.insert_lines("ETHUSDT", "".join(lines).encode(), 0, 100 * MINUTE)
    spans = audited_store.candles.unsettled({"ETHUSDT": 100 * MINUTE})
    audited_store.candles.recompute(spans)
    assert found(audited_store) == []
    trades = audited_store.trades.since("ETHUSDT", 0)
    assert [t.timestamp for t in trades if 268 <= t.aggregate_id < 272] == [to] * 4
    assert len(trades) == 300


def test_a_trade_of_an_archive_that_is_moved_later_leaves_nothing_either(
    audited_store: Store,
) -> None:
    audited_store.trades.insert({"ETHUSDT": [trade(300, time=99 * MINUTE)]})
    lines = [f"{n},100.5,1,{n * 10},{n * 10},{98 * MINUTE},True,True\n" for n in range(301, 304)]
    audited_store.trades.insert_lines("ETHUSDT", "".join(lines).encode(), 0, 100 * MINUTE)
    audited_store.candles.recompute({"ETHUSDT": [(0, 100 * MINUTE)]})
    audited_store.trades.insert({"ETHUSDT": [trade(302, time=NEXT_MONTH)]})
    audited_store.candles.recompute(
        audited_store.candles.unsettled({"ETHUSDT": NEXT_MONTH + MINUTE})
    )
    assert found(audited_store) == []


def everything(store: Store) -> list[object]:
    """All trades and candles."""
    tables = ("trades", "minutes", "candles")
    return [
        sorted(map(repr, store.connection.rows(f"SELECT * FROM {table} FINAL"))) for table in tables
    ]


def test_a_lost_minute_is_named_and_mended(audited_store: Store) -> None:
    table = audited_store.connection.layout.changed("minutes")
    lost = "symbol = 'BTCUSDT' AND candle_time = 720000"
    command(audited_store, f"DELETE FROM {table} WHERE {lost}")
    assert found(audited_store) == ["BTCUSDT 1m 720000: is missing"]
    assert found(audited_store, repair=True) == ["BTCUSDT 1m 720000: is missing"]
    assert found(audited_store) == []


def test_trades_that_no_candle_has_are_named_and_mended(audited_store: Store) -> None:
    command(
        audited_store, "INSERT INTO trades SELECT 'BTCUSDT', 300, 500, 2, 7, 8, 5 * 60000 + 7, true"
    )
    lines = found(audited_store, repair=True)
    assert "BTCUSDT 1m 300000: high is 106, not 500" in lines
    assert "BTCUSDT 1m 300000: quote_volume is 315, not 1315" in lines
    assert "BTCUSDT 1m 300000: aggregates is 3, not 4" in lines
    assert found(audited_store) == []
    [candle] = audited_store.candles.read("BTCUSDT", 15, 15 * MINUTE, 1)
    assert candle.high == 500 * 10**8


def test_wrong_rows_of_a_higher_version_are_named_and_mended(audited_store: Store) -> None:
    for table, key in (("minutes", "candle_time = 660000"), ("candles", "candle_time = 0")):
        command(
            audited_store,
            f"INSERT INTO {table} SELECT * REPLACE (volume + 1 AS volume, aggregates + 99 AS"
            f" aggregates) FROM {table} FINAL WHERE symbol = 'ETHUSDT' AND {key}",
        )
    lines = found(audited_store)
    assert "ETHUSDT 1m 660000: volume is 4, not 3" in lines
    assert {line.partition(" is ")[0] for line in lines} == {
        f"ETHUSDT {what}: {field}"
        for what in ("1m 660000", "7m 0", "60m 0")
        for field in ("volume", "aggregates")
    }
    found(audited_store, repair=True)
    assert found(audited_store) == []


def test_candles_without_trades_are_named_and_mended(audited_store: Store) -> None:
    command(
        audited_store,
        "INSERT INTO minutes SELECT * REPLACE (candle_time - 60000 AS candle_time) FROM ("
        "SELECT * FROM minutes FINAL WHERE symbol = 'BTCUSDT' AND candle_time = 660000)",
    )
    lines = found(audited_store, repair=True)
    assert "BTCUSDT 1m 600000: is stored, though there were no trades" in lines
    assert found(audited_store) == []
