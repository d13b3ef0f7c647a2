"""The rows of a part that cannot be read are recomputed or named, whenever the engine meets it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from ingest.core.errors import StoreUnavailable
from ingest.core.timeframe import MINUTE_MS
from ingest.core.trade import Trade
from ingest.storage import TornPart
from tests.storage.plain import trade

from .disk import Disk
from .model import ModelStore
from .weather import Calm

SYMBOL = "BTCUSDT"
MINUTES = 100
TABLES = ("trades", "minutes", "candles", "progress", "held")


class Struck(Calm):
    """The weather in which a part is lost before one of the next statements."""

    def __init__(self) -> None:
        self.countdown = 0
        self.strike: Callable[[], object] = lambda: None

    def statement(self, kind: str) -> None:
        """Count the statements down."""
        self.countdown -= 1
        if self.countdown == 0:
            self.strike()


def history() -> list[Trade]:
    return [trade(n, time=n * MINUTE_MS) for n in range(MINUTES)]


def filled_disk() -> Disk:
    """Trades in each minute, written in ten parts, and candles of two timeframes."""
    disk, trades = Disk(), history()
    with ModelStore(disk, Calm()) as store:
        store.candles.materialize(SYMBOL, 7)
        for first in range(0, MINUTES, 10):
            store.trades.insert({SYMBOL: trades[first : first + 10]})
        store.candles.recompute({SYMBOL: [(0, MINUTES * MINUTE_MS)]})
    return disk


def settle(store: ModelStore) -> None:
    """Store all trades, and recompute what is unsettled."""
    store.trades.insert({SYMBOL: history()})
    store.candles.recompute(store.candles.unsettled({SYMBOL: MINUTES * MINUTE_MS}))


def check(disk: Disk) -> None:
    """Another process finds nothing wrong, and nothing left to note."""
    with ModelStore(disk, Calm()) as store:
        assert store.torn_parts == []
        settle(store)
        assert list(store.audit.run(repair=False)) == []
        assert len(store.candles.read(SYMBOL, 7, 98 * MINUTE_MS, 14)) == 14


@pytest.mark.parametrize("table", TABLES)
def test_damage_is_found_at_a_start(table: str) -> None:
    disk = filled_disk()
    assert disk.damage(table)
    with ModelStore(disk, Calm()) as store:
        assert [part.table for part in store.torn_parts] == [table]
        settle(store)
        assert list(store.audit.run(repair=False)) == []
    check(disk)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("is_crash", [False, True])
def test_damage_is_met_at_any_statement(table: str, is_crash: bool) -> None:
    for at in range(1, 40):
        disk, weather = filled_disk(), Struck()
        weather.strike = partial(disk.damage, table)
        torn: list[TornPart] = []
        with ModelStore(disk, weather) as store:
            store.on_torn = torn.extend
            weather.countdown = at
            try:
                settle(store)
            except StoreUnavailable:
                assert [part.table for part in torn] == [table]
                if is_crash:
                    store.kill()
                else:
                    settle(store)
                    assert list(store.audit.run(repair=False)) == []
        check(disk)


@pytest.mark.parametrize("table", TABLES)
def test_damage_is_met_while_a_process_starts(table: str) -> None:
    for at in range(1, 20):
        disk, weather = filled_disk(), Struck()
        weather.strike, weather.countdown = partial(disk.damage, table), at
        store = ModelStore(disk, weather)
        if weather.countdown > 0:
            break  # it has made fewer statements
        assert [part.table for part in store.torn_parts] == [table]
        settle(store)
        assert list(store.audit.run(repair=False)) == []
        store.close()
        check(disk)
    assert at > 5
