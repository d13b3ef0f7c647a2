"""What the log says of symbols that become complete, or are no longer."""

from __future__ import annotations

import pytest

from generated.native.facts import DataQuality
from ingest.core.status import Event
from ingest.pipeline.completeness import LOGGED, Completeness
from ingest.pipeline.feed import Feed


def feeds(count: int) -> dict[str, Feed]:
    found = {f"S{number:02}": Feed(f"S{number:02}") for number in range(count)}
    for feed in found.values():
        feed.state.open()
        feed.state.connect(0)
        feed.state.settle()
    return found


def test_each_change_has_a_line_and_many_share_one(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    followed = feeds(LOGGED + 3)
    completeness = Completeness(followed)
    completeness._note()
    assert caplog.messages == []
    for feed in followed.values():
        assert feed.state.complete()
    completeness._note()
    completeness._note()
    assert caplog.messages == [
        *(f"S{number:02} is complete" for number in range(LOGGED)),
        "3 more symbols are complete",
    ]
    caplog.clear()
    for feed in followed.values():
        feed.state.happen(Event.IDS_MISSING)
        assert feed.status.quality is DataQuality.PARTIAL
    completeness._note()
    first, *_, last = caplog.messages
    assert first == "S00: 0 trades are missing and are fetched"
    assert last == "3 more symbols lack trades, which are fetched"
