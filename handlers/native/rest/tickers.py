"""The symbols that are followed, and what is stored of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from generated.native.facts import GapKind
from generated.native.models import (
    DataStatus,
    FeedCounters,
    Gap,
    Loading,
    MaterializedView,
    MaterializedViewListEnvelope,
    Ticker,
    TickerEnvelope,
    TickerListEnvelope,
    TickerSummary,
    TickerSummaryEnvelope,
)
from generated.native.rest import TickersHandlers
from handlers.native.rest.envelope import envelope
from ingest.core import fixed
from ingest.pipeline.feed import Feed
from ingest.pipeline.provider import Provider
from ingest.storage import ConfirmedGap


class Tickers(TickersHandlers):
    """`/tickers`."""

    def __init__(self, provider: Provider) -> None:
        self._view = provider.view
        self._listing = provider.listing
        self._downloads = provider.downloads
        self._following = provider.following

    async def list_tickers(self) -> TickerListEnvelope:
        """All active symbols."""
        feeds = map(self._view.feed, sorted(self._view.symbols))
        summaries = [TickerSummary.model_validate(self._summary(feed)) for feed in feeds]
        return envelope(TickerListEnvelope, summaries, f"Retrieved {len(summaries)} active tickers")

    async def get_ticker(self, symbol: str) -> TickerEnvelope:
        """One symbol."""
        feed = self._view.feed(symbol)
        inventory, counters = await self._view.stored.inventory(feed), feed.counters
        ticker = Ticker.model_validate(
            {
                **self._summary(feed),
                "first_aggregate_id": feed.continuity.lowest if feed.continuity else None,
                "first_trade_time": inventory.first_trade_ms,
                "last_aggregate_id": feed.continuity.highest if feed.continuity else None,
                "trades_kept_since": inventory.trades_since_ms or None,
                "candles_kept_since": inventory.candles_since_ms or None,
                "open_gaps": _open_gaps(feed),
                "confirmed_gaps": _confirmed_gaps(feed, inventory.confirmed_gaps),
                "timeframes": inventory.timeframes,
                "feed": FeedCounters(
                    received=counters.received,
                    repeated=counters.repeated,
                    malformed=counters.malformed,
                    refetched=counters.refetched,
                ),
            }
        )
        message = f"{symbol} is {feed.status.quality.value}"
        if symbol in self._listing.absent:
            message += ": the exchange has no such symbol"
        return envelope(TickerEnvelope, ticker, message)

    async def follow_symbol(self, symbol: str) -> TickerSummaryEnvelope:
        """Follow a symbol."""
        await self._following.follow(symbol)
        summary = TickerSummary.model_validate(self._summary(self._view.feed(symbol)))
        return envelope(TickerSummaryEnvelope, summary, f"{symbol} is followed")

    async def end_symbol(self, symbol: str) -> TickerSummaryEnvelope:
        """Follow a symbol no longer."""
        summary = TickerSummary.model_validate(self._summary(self._view.feed(symbol)))
        await self._following.end(symbol)
        return envelope(TickerSummaryEnvelope, summary, f"{symbol} is followed no longer")

    async def list_materialized_views(self, symbol: str) -> MaterializedViewListEnvelope:
        """Stored timeframes of a symbol."""
        self._view.feed(symbol)
        views = [
            MaterializedView.model_validate(asdict(view))
            for view in await self._view.stored.materialized(symbol)
        ]
        message = f"Retrieved {len(views)} materialized views for {symbol}"
        return envelope(MaterializedViewListEnvelope, views, message)

    def _summary(self, feed: Feed) -> dict[str, object]:
        listing, last = self._listing, feed.last_trade
        market = listing.markets.get(feed.symbol)
        status, download = feed.status, self._downloads.of(feed.symbol)
        return {
            "symbol": feed.symbol,
            "base_asset": market.base_asset if market else "",
            "quote_asset": market.quote_asset if market else "",
            "exchange_status": listing.status(feed.symbol),
            "connected": feed.state.is_connected,
            "data_status": DataStatus(
                historical_loading=status.historical_loading,
                gap_recovery=status.gap_recovery,
                data_quality=status.quality,
                last_complete_timestamp=status.last_complete_id,
            ),
            "trades_stored": feed.trades_stored,
            "last_price": fixed.to_decimal(last.price) if last else None,
            "last_trade_time": last.timestamp if last else None,
            "loading": Loading.model_validate(download, from_attributes=True) if download else None,
        }


def _confirmed_gaps(feed: Feed, found: Sequence[ConfirmedGap]) -> list[Gap]:
    """The confirmed gaps of which ids are still missing: trades may have turned up since."""
    if feed.continuity is None:
        return []
    return [
        Gap(
            from_id=gap.from_id,
            to_id=gap.to_id,
            missing=gap.missing,
            kind=GapKind.CONFIRMED,
            since=max(
                (
                    f.confirmed_at
                    for f in found
                    if f.from_id <= gap.to_id and gap.from_id <= f.to_id
                ),
                default=0,
            ),
            reason="The exchange does not have these ids",
        )
        for gap in feed.continuity.confirmed
    ]


def _open_gaps(feed: Feed) -> list[Gap]:
    if feed.continuity is None:
        return []
    reason = "The ids did not come over the stream"
    if feed.status.historical_loading:
        reason = "The history is being downloaded"
    unreadable = "What the exchange gives for these ids is no valid trade"
    return [
        Gap(
            from_id=item.from_id,
            to_id=item.to_id,
            missing=item.gap.missing,
            kind=item.kind,
            since=feed.gaps_since_ms or 0,
            reason=unreadable if item.kind is GapKind.UNREADABLE else reason,
        )
        for item in feed.continuity.missing
        if item.kind is not GapKind.CONFIRMED
    ]
