"""Activation of a symbol: which ids matter, which are here, and where live candles begin."""

from __future__ import annotations

import asyncio

from ingest.binance.clock import ExchangeClock
from ingest.binance.page import MAX_ROWS
from ingest.binance.rest import BinanceRest, Edge
from ingest.core.continuity import Continuity, Gap
from ingest.core.timeframe import bucket_start
from ingest.storage import AsyncStore, IdRange

from .feed import Feed
from .impossible import DISORDER_MS
from .newest import newest_trade

MAX_PAGES = 10
"""So many pages at most are asked for to find the times of the trades before the first."""


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
        whole_from_ms = await _whole_from(symbol, continuity.first_id, oldest, store, rest, clock)
        line = store.retention.line(symbol)
        for first_id, from_ms in (
            (line.first_id, line.whole_from_ms),  # the trades before it have been here
            (feed.whole_first_id, feed.live.whole_from_ms),  # it was found out earlier
        ):
            if 0 < continuity.first_id <= first_id:
                whole_from_ms = min(whole_from_ms, from_ms)
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
    symbol: str,
    first_id: int,
    oldest: Edge | None,
    store: AsyncStore,
    rest: BinanceRest,
    clock: ExchangeClock,
) -> int:
    """The time in ms from which on every trade of the exchange is among those that matter.

    That is just after the trades before the first of them, whose times may run against their ids.
    Where the exchange begins with it, it is the beginning of time. Where not all of the trades
    before it are given, the missing ones are at most DISORDER_MS later than it.
    """
    if first_id == 0:
        return 0
    newest_ms, are_all = await _newest_before(symbol, first_id, rest)
    if are_all:
        return newest_ms + 1
    beginning = await rest.agg_trades(symbol, from_id=0, limit=1)
    if beginning.trades and beginning.trades[0].aggregate_id >= first_id:
        return 0
    if oldest is not None and oldest.trade and oldest.aggregate_id == first_id:
        first_ms: int | None = oldest.trade.timestamp
    else:
        first_ms = await store.trades.time_of(symbol, first_id)
    return max(clock.now_ms() if first_ms is None else first_ms, newest_ms) + DISORDER_MS


async def _newest_before(symbol: str, first_id: int, rest: BinanceRest) -> tuple[int, bool]:
    """The latest time of the trades just before an id, -1 for none, and whether all were given."""
    newest_ms, start, are_all = -1, max(0, first_id - MAX_ROWS), True
    for _ in range(MAX_PAGES):  # a page may be shorter than what was asked for
        page = await rest.agg_trades(symbol, from_id=start, limit=MAX_ROWS)
        before = page.reading(Gap(start, first_id - 1))
        newest_ms = max([newest_ms, *(trade.timestamp for trade in before.trades)])
        # One answer that passes over an id does not say that there is no such trade.
        are_all = are_all and not before.unreadable and not before.absent
        if before.next_id is None:
            return newest_ms, are_all and newest_ms >= 0
        if before.next_id == start:
            break
        start = before.next_id
    return newest_ms, False
