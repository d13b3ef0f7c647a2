"""The status of a symbol: each event in each state, and what goes with it to clients."""

from __future__ import annotations

import pytest

from generated.native.facts import DataQuality
from ingest.core.continuity import Continuity, Gap
from ingest.core.status import DataStatus, Event, State
from ingest.pipeline.feed import Feed

UNKNOWN, LOADING, PARTIAL, COMPLETE = (
    DataQuality.UNKNOWN,
    DataQuality.LOADING,
    DataQuality.PARTIAL,
    DataQuality.COMPLETE,
)
TABLE = {
    UNKNOWN: (PARTIAL, COMPLETE, UNKNOWN, LOADING),
    LOADING: (LOADING, COMPLETE, LOADING, LOADING),
    PARTIAL: (PARTIAL, COMPLETE, UNKNOWN, LOADING),
    COMPLETE: (PARTIAL, COMPLETE, UNKNOWN, LOADING),
}
"""The quality after ids are missing, completed, feed lost and history wanted, as the docstring of
`ingest.core.status` has it."""


@pytest.mark.parametrize("before", DataQuality)
@pytest.mark.parametrize("event", Event)
def test_every_event_in_every_quality(before: DataQuality, event: Event) -> None:
    state = State()
    state.quality = before
    state.happen(event)
    incomplete, completed, lost, wanted = TABLE[before]
    assert state.quality is {
        Event.COMPLETED: completed,
        Event.FEED_LOST: lost,
        Event.HISTORY_WANTED: wanted,
    }.get(event, incomplete)


def ready() -> State:
    """The state of a symbol that can be completed."""
    state = State()
    state.open()
    state.connect(10)
    state.settle()
    return state


def test_data_is_completed_only_when_nothing_is_in_its_way() -> None:
    assert ready().complete()
    for hinder in (State.close, State.disconnect, lambda s: s.doubt(11), lambda s: s.late(60_000)):
        state = ready()
        hinder(state)
        assert not state.complete()
    state = ready()
    assert state.complete()
    assert not state.complete()


def test_a_doubt_is_settled_only_while_the_stream_is_up() -> None:
    state = ready()
    state.disconnect()
    state.settle()
    assert not state.is_verified
    state.connect(20)
    assert (state.doubts, state.doubted_ms, state.is_verified) == (2, 20, False)
    state.settle()
    assert state.is_verified


def test_the_earliest_late_minute_counts() -> None:
    state = ready()
    for minute in (120_000, 60_000, None, 180_000):
        state.late(minute)
    assert (state.take_late(), state.take_late()) == (60_000, None)


def feed_with(*gaps: Gap) -> Feed:
    """A feed that holds ids 1 to 9 less the gaps, its stream up."""
    feed = Feed("BTCUSDT")
    feed.open(Continuity(1, 9, gaps), watermark=0, whole_from_ms=0)
    feed.joined(0)
    feed.state.settle()
    return feed


def test_the_last_complete_id_is_given_in_loading_and_partial_only() -> None:
    feed = feed_with(Gap(4, 5))
    assert feed.status == DataStatus(DataQuality.LOADING, 3)
    assert DataStatus(DataQuality.LOADING, 3).historical_loading
    feed = feed_with()
    assert feed.complete()
    assert feed.status == DataStatus(DataQuality.COMPLETE)
    feed.doubt(None, 0)
    assert feed.status == DataStatus(DataQuality.PARTIAL, 9)
    assert feed.status.gap_recovery
    feed.state.disconnect()
    assert feed.status == DataStatus(DataQuality.UNKNOWN)
