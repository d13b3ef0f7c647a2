"""The modelled store gives the answers of the engine, whatever the pipeline does with it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.core.errors import StoreUnavailable
from ingest.core.keep import DAY_MS
from ingest.storage import Store
from ingest.storage.connection import Connection
from tests.storage.plain import trade

from .disk import Disk
from .engine import EngineStore
from .model import ModelStore
from .twins import Twins
from .weather import Calm

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "5"))
STEPS = 20


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """One engine for all examples: each has symbols of its own."""
    with Store(f"chdb://{tmp_path_factory.mktemp('engine')}/db") as store:
        yield store.connection


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_the_model_answers_as_the_engine_does(opened: Connection, data: st.DataObject) -> None:
    twins = Twins(opened, data.draw)
    steps: list[Callable[[], None]] = [
        *[twins.insert] * 8,
        *[twins.settle] * 5,
        *[twins.materialize, twins.materialize, twins.materialize, twins.add_levels],
        *[twins.read_candles, twins.read_page, twins.read_trades] * 3,
        *(twins.insert_lines, twins.recompute, twins.expire, twins.remove, twins.confirm),
        *(twins.restart, twins.wait),
    ]
    for _ in range(STEPS):
        data.draw(st.sampled_from(steps))()
    twins.restart()
    twins.audit()
    twins.compare()


def test_a_killed_process_makes_no_statement_and_the_next_one_reads_the_tables(
    opened: Connection,
) -> None:
    disk, batch = Disk(), {"KILLEDUSDT": [trade(7, time=90_000)]}
    opening: list[Callable[[], ModelStore | EngineStore]]
    opening = [lambda: ModelStore(disk, Calm()), lambda: EngineStore(opened, Calm())]
    for start in opening:
        store = start()
        store.trades.insert(batch)
        store.kill()
        with pytest.raises(StoreUnavailable):
            store.trades.high_water()
        with pytest.raises(StoreUnavailable):
            store.trades.insert(batch)
        with start() as after:
            assert after.trades.high_water()["KILLEDUSDT"] == 7
            assert after.candles.unsettled({"KILLEDUSDT": 600_000}) != {}


def test_a_statement_that_is_not_modelled_is_named() -> None:
    with pytest.raises(AssertionError, match="SELECT 1"):
        ModelStore(Disk(), Calm()).connection.rows("SELECT 1")


def test_an_insert_into_two_months_can_be_torn() -> None:
    class Torn(Calm):
        inserts = 0

        def statement(self, kind: str) -> None:
            self.inserts += kind == "insert trades"
            if self.inserts == 2:
                raise KeyboardInterrupt

    disk, late = Disk(), 40 * DAY_MS
    store = ModelStore(disk, Torn())
    with pytest.raises(KeyboardInterrupt):
        store.trades.insert({"AUSDT": [trade(1, time=5), trade(2, time=late)]})
    store.kill()
    assert ModelStore(disk, Calm()).trades.high_water() == {"AUSDT": 1}
