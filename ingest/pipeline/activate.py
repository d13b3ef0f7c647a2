"""Activation of a symbol: which ids matter, which are here, and where live candles begin."""

from __future__ import annotations

import asyncio

from ingest.binance.clock import ExchangeClock
from ingest.binance.rest import MAX_ROWS, BinanceRest, Edge
from ingest.core.continuity import Continuity, Gap
from ingest.core.timeframe import bucket_start
from ingest.storage import AsyncStore, IdRange

from .feed import Feed
from .newest import newest_trade


async def activate(
    feed: Feed,
    store: AsyncStore,
    rest: BinanceRest,
    clock: ExchangeClock,
    watermark_lock: asyncio.Lock,
    history_ms: int,
) -> None:
    """Open a feed on what the store holds and what the exchange has.

    The store is repaired up to the watermark first: a crash may have come between the trades of a
    minute and the minute. Raises ExchangeError or StoreUnavailable; it may be called again.
    """
    symbol = feed.symbol
    held = await store.trades.id_range(symbol)
    newest = await newest_trade(rest, symbol, held.last if held is not None else -1)
    continuity, whole_from_ms = None, 0
    if newest is not None or held is not None:
        oldest = await rest.first_at(symbol, max(0, clock.now_ms() - history_ms))
        continuity = _continuity(held, oldest, newest)
        for gap in (await store.gaps.confirmed()).get(symbol, ()):
            continuity.confirm(Gap(gap.from_id, gap.to_id))
        if newest is not None:
            continuity.reach(newest.aggregate_id)
        whole_from_ms = await _whole_from(symbol, continuity.first_id, oldest, store, rest)
        line = store.retention.line(symbol)
        if 0 < continuity.first_id <= line.first_id:  # the trades before it have been here
            whole_from_ms = min(whole_from_ms, line.whole_from_ms)
        whole_from_ms = max(whole_from_ms, line.candles_since_ms)
    async with watermark_lock:
        watermark = bucket_start(clock.now_ms(), 1)
        unsettled = await store.candles.unsettled({symbol: watermark})
        await store.candles.recompute(unsettled)
        recent = await store.trades.since(symbol, watermark)
        feed.open(continuity, watermark, whole_from_ms)
        feed.live.fold(recent)


def _continuity(held: IdRange | None, oldest: Edge | None, newest: Edge | None) -> Continuity:
    """The ids of the store, and from `oldest` on those of the exchange.

    Where the wanted history has no trade it begins with the next one.
    """
    if held is None:
        first = oldest.aggregate_id if oldest is not None else None
        return Continuity(newest.aggregate_id + 1 if first is None and newest else first or 0)
    continuity = Continuity(held.first, held.last, held.holes)
    if oldest is not None:
        continuity.extend_back(oldest.aggregate_id)
    return continuity


async def _whole_from(
    symbol: str, first_id: int, oldest: Edge | None, store: AsyncStore, rest: BinanceRest
) -> int:
    """The time in ms from which on every trade of the exchange is among those that matter.

    That is just after the trades before the first of them, whose times may run against their ids.
    Where the exchange has none it is the beginning of time; where they cannot be read, just after
    the time of the first that matters, which an earlier trade may share.
    """
    if first_id == 0:
        return 0
    start = max(0, first_id - MAX_ROWS)
    page = await rest.agg_trades(symbol, from_id=start, limit=MAX_ROWS)
    before = page.reading(Gap(start, first_id - 1))
    if before.trades and not before.unreadable:
        return max(trade.timestamp for trade in before.trades) + 1
    beginning = await rest.agg_trades(symbol, from_id=0, limit=1)
    if beginning.first_id is None or beginning.first_id >= first_id:
        return 0
    if oldest is not None and oldest.trade and oldest.aggregate_id == first_id:
        return oldest.trade.timestamp + 1
    stored = await store.trades.time_of(symbol, first_id)
    return 0 if stored is None else stored + 1
