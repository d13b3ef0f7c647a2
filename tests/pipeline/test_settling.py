"""In any order of events, candles sent as complete are exact, and everything settles."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.pipeline import retry
from tests.pipeline.world import InterruptedStore, World

EXAMPLES = int(os.environ.get("CHAOS_EXAMPLES", "30"))
_SYMBOLS = itertools.count()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InterruptedStore]:
    with InterruptedStore(f"chdb:///{tmp_path_factory.mktemp('settling')}/db") as opened:
        yield opened


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_PAUSE_SECONDS", 0.0)
    logging.getLogger(retry.__name__).setLevel(logging.ERROR)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_what_is_sent_as_complete_is_exact(store: InterruptedStore, data: st.DataObject) -> None:
    asyncio.run(history_of_a_feed(store, data))


async def history_of_a_feed(store: InterruptedStore, data: st.DataObject) -> None:
    world = World(store, f"S{next(_SYMBOLS)}USDT", data.draw)
    try:
        await _events(world)
    finally:
        if world.verdict is not None:
            raise world.verdict


async def _events(world: World) -> None:
    draw = world.draw
    await world.open()
    for _ in range(draw(st.integers(1, 25))):
        world.failures = draw(st.integers(0, 2))
        what = draw(st.sampled_from(("step", "step", "step", "cycle", "cycle", "history")))
        if what == "step":
            world.step()
        elif what == "cycle":
            await world.cycle()
        else:
            await world.history()
    await world.settle_down()
    world.compare()
