"""The problems of the server, part by part, with their reasons."""

from __future__ import annotations

from collections.abc import Iterator

from generated.native.facts import DataQuality
from generated.native.models import HealthProblem
from ingest.binance.now import host_ms
from ingest.pipeline.feed import Feed
from ingest.pipeline.provider import Provider


def is_healthy(feed: Feed) -> bool:
    """Whether a symbol is connected and complete."""
    return feed.state.is_connected and feed.status.quality is DataQuality.COMPLETE


def blocking_problems(provider: Provider) -> list[HealthProblem]:
    """The problems for which the server is not ready.

    Symbols that the exchange does not list are none, as long as there are others: nothing would
    ever make the server ready. Nor is a lack of request weight while all symbols are complete.
    """
    absent = provider.listing.absent
    ignored = absent if len(absent) < len(provider.feeds) else frozenset()
    return [
        problem
        for problem in problems(provider)
        if problem.component != "weight_coordinator" and problem.symbol not in ignored
    ]


def problems(provider: Provider) -> Iterator[HealthProblem]:
    """All that does not work now."""
    failing_since_ms = provider.view.store_failing_since_ms
    if failing_since_ms is not None:
        seconds = max(host_ms() - failing_since_ms, 0) // 1000
        yield HealthProblem(
            component="store", symbol=None, reason=f"Nothing could be stored for {seconds} s"
        )
    if not provider.clock.is_set:
        yield HealthProblem(
            component="binance_client", symbol=None, reason="The exchange has not answered yet"
        )
    elif not any(feed.state.is_connected for feed in provider.feeds.values()):
        yield HealthProblem(
            component="binance_client", symbol=None, reason="No stream is connected"
        )
    banned = provider.weight.ban_remaining()
    if banned > 0:
        yield HealthProblem(
            component="weight_coordinator",
            symbol=None,
            reason=f"The exchange takes no requests for another {banned:.0f} s",
        )
    for symbol, feed in sorted(provider.feeds.items()):
        if is_healthy(feed):
            continue
        if symbol in provider.listing.absent:
            reason = "The exchange does not list it: take it out of CANDLECAST_SYMBOLS"
        else:
            reason = _reason(feed)
        yield HealthProblem(component="tickers", symbol=symbol, reason=reason)


def _reason(feed: Feed) -> str:
    """Why a symbol is not healthy."""
    if not feed.state.is_open:
        return "It is not followed yet"
    if not feed.state.is_connected:
        return "Its stream is not connected"
    missing = feed.continuity.gaps if feed.continuity else []
    count = sum(gap.missing for gap in missing)
    if feed.status.historical_loading:
        return f"Its history is loading, {count} trades are missing"
    if feed.continuity and feed.continuity.unreadable:
        unreadable = feed.continuity.unreadable
        bad = sum(gap.missing for gap in unreadable)
        return (
            f"{bad} of {count} missing trades are not readable as the exchange gives them,"
            f" the first is {unreadable[0].from_id}"
        )
    if missing:
        return f"{count} trades are missing, the first is {missing[0].from_id}"
    return "It is being checked whether trades were missed"
