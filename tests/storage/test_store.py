from __future__ import annotations

import asyncio

import pytest

from ingest.core.continuity import Gap
from ingest.core.errors import SettingError
from ingest.storage import Quarantined, Store, quarantine

from .plain import trade


def test_malformed_messages_are_kept_as_they_came(fresh_store: Store) -> None:
    messages = [
        Quarantined(1_700_000_000_000 + n, "BTCUSDT" if n else "", raw, f"error {n}")
        for n, raw in enumerate((b'{"p":"NaN"}', b"\xff\xfe\x00", b"'; DROP TABLE trades; --"))
    ]
    assert fresh_store.quarantine.keep(messages) == 3
    assert fresh_store.quarantine.keep([]) == 0
    assert fresh_store.quarantine.latest(10) == messages[::-1]
    assert fresh_store.quarantine.latest(1) == messages[2:]


def test_the_quarantine_has_room_for_so_many_messages(
    fresh_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine, "MAX_MESSAGES", 5)
    message = Quarantined(0, "BTCUSDT", b"x" * 10_000, "too long")
    assert [fresh_store.quarantine.keep([message] * 3) for _ in range(3)] == [3, 2, 0]
    kept = fresh_store.quarantine.latest(9)
    assert [len(m.raw) for m in kept] == [quarantine.MAX_MESSAGE_BYTES] * 5


def test_confirmed_gaps_are_remembered(dsn: str) -> None:
    with Store(dsn) as store:
        store.gaps.confirm("BTCUSDT", 5, 9, 3)
        store.gaps.confirm("BTCUSDT", 1, 1, 3)
        store.gaps.confirm("BTCUSDT", 5, 9, 4)
    with Store(dsn) as store:
        gaps = store.gaps.confirmed()["BTCUSDT"]
        assert [(known.gap, known.tries) for known in gaps] == [(Gap(1, 1), 3), (Gap(5, 9), 4)]
        assert all(known.confirmed_at > 1_600_000_000_000 for known in gaps)


def test_statistics_tell_the_engine_and_what_it_holds(fresh_store: Store) -> None:
    fresh_store.trades.insert({"BTCUSDT": [trade(n) for n in range(10)]})
    statistics = fresh_store.statistics()
    assert statistics.trades == 10
    assert statistics.bytes_on_disk > 0
    assert statistics.engine_version.split(".")[0].isdigit()
    assert 0 <= statistics.cache_bytes < statistics.memory_bytes < 2**30


def test_a_database_of_a_later_program_is_left_alone(dsn: str) -> None:
    with Store(dsn) as store:
        store.connection.command("INSERT INTO schema_version (version) SELECT 99")
    with pytest.raises(SettingError, match="version 99"):
        Store(dsn)


def test_a_symbol_that_cannot_name_a_view_is_refused(fresh_store: Store) -> None:
    for symbol in ("btcusdt", "BTC USDT", "X'; DROP TABLE trades", "", "A" * 99):
        with pytest.raises(ValueError, match="is no symbol"):
            fresh_store.candles.materialize(symbol, 5)
    assert fresh_store.candles.pairs == frozenset()


async def test_many_calls_run_at_the_same_time(fresh_store: Store) -> None:
    async def fill(symbol: str) -> None:
        for n in range(5):
            await fresh_store.run(fresh_store.trades.insert, {symbol: [trade(n, time=n * 60_000)]})
            await fresh_store.run(
                fresh_store.candles.recompute, {symbol: [(n * 60_000, (n + 1) * 60_000)]}
            )
        await fresh_store.run(fresh_store.candles.materialize, symbol, 2)

    await asyncio.gather(*(fill(f"S{n}USDT") for n in range(8)))
    for n in range(8):
        candles = fresh_store.candles.read(f"S{n}USDT", 2, 240_000, 9)
        assert [candle.aggregates for candle in candles] == [2, 2]
