"""After a crash the next start knows the minutes to recompute, and few more."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.storage import Store

from .plain import trade

MINUTE = 60_000
SYMBOL = "BTCUSDT"


def crash(store: Store) -> None:
    """End as a killed process does: nothing is written any more."""
    store.connection.close()


def span(*minutes: int) -> list[tuple[int, int]]:
    return [(minute * MINUTE, (minute + 1) * MINUTE) for minute in minutes]


def settled_store(dsn: str) -> Store:
    """Trades in the minutes 0 to 99, all recomputed, and noted as such."""
    with Store(dsn) as store:
        store.trades.insert({SYMBOL: [trade(n, time=n * MINUTE) for n in range(100)]})
        store.candles.recompute({SYMBOL: [(0, 100 * MINUTE)]})
    store = Store(dsn)
    assert unsettled(store, 200) == []
    return store


def unsettled(store: Store, before: int) -> list[tuple[int, int]]:
    return store.candles.unsettled({SYMBOL: before * MINUTE}).get(SYMBOL, [])


def test_nothing_is_left_to_do_after_a_clean_end(dsn: str) -> None:
    with settled_store(dsn) as store:
        assert unsettled(store, 200) == []


def test_trades_that_were_not_recomputed_are_found_after_a_crash(dsn: str) -> None:
    store = settled_store(dsn)
    store.trades.insert({SYMBOL: [trade(100, time=100 * MINUTE), trade(101, time=103 * MINUTE)]})
    crash(store)
    with Store(dsn) as store:
        assert unsettled(store, 101) == span(100)
        assert unsettled(store, 200) == span(100, 103)
        store.candles.recompute({SYMBOL: span(100)})
        assert unsettled(store, 200) == span(103)


def test_late_trades_are_found_after_a_crash(dsn: str) -> None:
    store = settled_store(dsn)
    store.trades.insert({SYMBOL: [trade(200, time=50 * MINUTE), trade(201, time=52 * MINUTE)]})
    assert unsettled(store, 200) == span(50, 52)
    crash(store)
    with Store(dsn) as store:
        [(since, until)] = unsettled(store, 200)
        assert (since, until) == (50 * MINUTE, 53 * MINUTE)
        store.candles.recompute({SYMBOL: [(since, until)]})
        assert list(store.audit.run(repair=False))[1:] == []


def test_a_minute_that_has_lost_its_only_trade_is_found_after_a_restart(dsn: str) -> None:
    store = settled_store(dsn)
    store.candles.materialize(SYMBOL, 5)
    store.trades.insert({SYMBOL: [trade(52, time=58 * MINUTE)]})
    store.close()
    with Store(dsn) as store:
        assert unsettled(store, 55) == [(52 * MINUTE, 55 * MINUTE)]
        store.candles.recompute({SYMBOL: [(52 * MINUTE, 55 * MINUTE)]})
        assert unsettled(store, 200) == [(55 * MINUTE, 59 * MINUTE)]
        store.candles.recompute({SYMBOL: [(55 * MINUTE, 59 * MINUTE)]})
        assert unsettled(store, 200) == []
        assert list(store.audit.run(repair=False)) == []
        assert [c.aggregates for c in store.candles.read(SYMBOL, 5, 60 * MINUTE, 2)] == [4, 6]
    with Store(dsn) as store:
        assert unsettled(store, 200) == []


def test_a_note_that_cannot_be_made_keeps_trades_out(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = settled_store(dsn)
    command = store.connection.command

    def refuse(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(store.connection, "command", refuse)
    with pytest.raises(OSError, match="no space"):
        store.trades.insert({SYMBOL: [trade(200, time=50 * MINUTE)]})
    monkeypatch.setattr(store.connection, "command", command)
    assert store.trades.high_water() == {SYMBOL: 99}
    store.trades.insert({SYMBOL: [trade(200, time=50 * MINUTE)]})
    crash(store)
    with Store(dsn) as store:
        assert unsettled(store, 200) == span(50)


def test_trades_stored_while_their_minute_is_recomputed_leave_it_dirty(dsn: str) -> None:
    with settled_store(dsn) as store:
        progress = store.progress
        with progress.recomputing({SYMBOL: span(7)}):
            store.trades.insert({SYMBOL: [trade(300, time=7 * MINUTE)]})
        assert unsettled(store, 200) == span(7)
        late = trade(301, time=8 * MINUTE)
        spans = {SYMBOL: span(7, 8)}
        with progress.storing({SYMBOL: [late.timestamp]}), progress.recomputing(spans):
            pass
        assert unsettled(store, 200) == span(8)


@pytest.mark.parametrize("table", ["trades", "minutes", "candles", "progress"])
def test_what_a_torn_part_held_is_recomputed_or_named(tmp_path: Path, table: str) -> None:
    dsn = f"chdb://{tmp_path}/db"
    with settled_store(dsn) as store:
        store.candles.materialize(SYMBOL, 7)
        for (path,) in store.connection.rows(
            "SELECT path FROM system.parts"
            " WHERE active AND database = currentDatabase() AND table = {table:String}",
            {"table": table},
        ):
            part = Path(path)
    data = part / "data.bin"
    data.write_bytes(data.read_bytes()[: data.stat().st_size // 2])
    with Store(dsn) as store:
        assert [torn.table for torn in store.torn_parts] == [table]
        store.trades.insert({SYMBOL: [trade(n, time=n * MINUTE) for n in range(100)]})
        store.candles.recompute(store.candles.unsettled({SYMBOL: 100 * MINUTE}))
        assert list(store.audit.run(repair=False)) == []
        assert len(store.candles.read(SYMBOL, 7, 98 * MINUTE, 14)) == 14
    with Store(dsn) as store:
        assert store.torn_parts == []
