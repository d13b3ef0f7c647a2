"""What a symbol's status says with each quality."""

from __future__ import annotations

from generated.native.facts import DataQuality
from ingest.core.continuity import Continuity, Gap
from ingest.core.status import DataStatus
from ingest.pipeline.feed import Feed


def feed_with(*gaps: Gap) -> Feed:
    """A feed that holds ids 1 to 9 less the gaps, its stream up."""
    feed = Feed("BTCUSDT")
    feed.open(Continuity(1, 9, gaps), watermark=0, whole_from_ms=0)
    feed.joined(0)
    feed.verified = True
    return feed


def test_the_last_complete_id_is_given_in_loading_and_partial_only() -> None:
    feed = feed_with(Gap(4, 5))
    assert feed.status == DataStatus(DataQuality.LOADING, 3)
    feed = feed_with()
    assert feed.make_whole()
    assert feed.status == DataStatus(DataQuality.COMPLETE)
    feed.doubt(None, 0)
    assert feed.status == DataStatus(DataQuality.PARTIAL, 9)
    feed.lost()
    assert feed.status == DataStatus(DataQuality.UNKNOWN)
