"""Activation of a symbol: which ids matter, which are here, and where live candles begin."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from ingest.binance.clock import ExchangeClock
from ingest.binance.rest import BinanceRest, Edge
from ingest.core.continuity import Continuity, Gap
from ingest.core.timeframe import MINUTE_MS, bucket_start
from ingest.storage import AsyncStore, IdRange

from .beginning import Beside, trades_beside, whole_from
from .feed import Feed
from .impossible import DISORDER_MS
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
    held = await _held(symbol, store)
    known = await _known(symbol, held, max(0, clock.now_ms() - history_ms), store, rest)
    whole_from_ms = 0 if known is None else await _whole_from(feed, known, store, rest, clock)
    async with watermark_lock:
        watermark = bucket_start(clock.now_ms(), 1)
        await store.candles.release(symbol)
        if unsettled := await store.candles.unsettled({symbol: watermark}):
            await store.candles.recompute(unsettled)
        recent = await store.trades.since(symbol, watermark) if held is not None else []
        feed.open(None if known is None else known.continuity, watermark, whole_from_ms)
        feed.live.fold(recent)
        if known is not None:
            feed.accept(known.beside.trades, clock.latest_ms(), refetched=True)


async def activate_ended(
    feed: Feed, store: AsyncStore, clock: ExchangeClock, watermark_lock: asyncio.Lock
) -> None:
    """Open the feed of a symbol that the exchange has no longer on what the store holds.

    The ids that are missing are so for good. Raises StoreUnavailable; it may be called again.
    """
    symbol = feed.symbol
    held = await _held(symbol, store)
    if held is None:
        return
    newest_ms = await store.trades.time_of(symbol, held.last) or 0
    first_ms = await store.trades.time_of(symbol, held.first) or 0
    continuity = Continuity(held.first, held.last, confirmed=held.holes)
    async with watermark_lock:
        watermark = min(bucket_start(newest_ms, 1) + MINUTE_MS, bucket_start(clock.now_ms(), 1))
        await store.candles.release(symbol)
        if unsettled := await store.candles.unsettled({symbol: watermark}):
            await store.candles.recompute(unsettled)
        recent = await store.trades.since(symbol, watermark)
        from_ms = first_ms + DISORDER_MS if held.first else 0
        whole_from_ms = as_known(feed, held.first, from_ms, store)
        feed.open(continuity, watermark, whole_from_ms)
        feed.live.fold(recent)
        feed.end()


async def _held(symbol: str, store: AsyncStore) -> IdRange | None:
    """The stored ids that a server has; None when there are none."""
    held, begin = await store.trades.id_range(symbol), store.begins.of(symbol)
    if held is None or begin is None or begin <= held.first:
        return held
    confirmed = (await store.gaps.confirmed()).get(symbol, ())
    return held.begun(begin, [gap.gap for gap in confirmed])


class _Known(NamedTuple):
    """The ids that matter, and the trades where they begin."""

    continuity: Continuity
    oldest: Edge | None
    """The first trade of the wanted history, where it was asked for."""
    beside: Beside


async def _known(
    symbol: str, held: IdRange | None, start_ms: int, store: AsyncStore, rest: BinanceRest
) -> _Known | None:
    """The ids from the wanted history, or what is held, on; None when there never was a trade.

    A symbol without stored trades takes two requests where its history fits into a page, whose
    end is taken for the newest trade: the checks ask for that after the symbol is opened.
    """
    oldest = newest = None
    if held is None or await _is_later(store, symbol, held.first, start_ms):
        oldest = await rest.first_at(symbol, start_ms)
    if held is not None or oldest is None:
        newest = await newest_trade(rest, symbol, held.last if held is not None else -1)
    if held is None and oldest is None and newest is not None and _is_since(newest, start_ms):
        # There was none of the wanted history when it was asked for: this one has come since, and
        # need not be the first.
        oldest = await rest.first_at(symbol, start_ms)
    if held is None and oldest is None and newest is None:
        return None
    continuity = _continuity(held, oldest, newest)
    if held is not None:
        for gap in (await store.gaps.confirmed()).get(symbol, ()):
            continuity.confirm(Gap(gap.from_id, gap.to_id))
    beside = await trades_beside(symbol, continuity.first_id, rest)
    if newest is None and beside.may_go_on:
        newest = await newest_trade(rest, symbol, beside.last_id)
    continuity.reach(max(beside.last_id, newest.aggregate_id if newest is not None else -1))
    return _Known(continuity, oldest, beside)


def _is_since(edge: Edge, time_ms: int) -> bool:
    """Whether a trade may have been made at a time or later."""
    return edge.trade is None or edge.trade.timestamp >= time_ms


async def _is_later(store: AsyncStore, symbol: str, aggregate_id: int, time_ms: int) -> bool:
    """Whether a stored trade was made after a time."""
    made_ms = await store.trades.time_of(symbol, aggregate_id)
    return made_ms is None or made_ms > time_ms


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
    feed: Feed, known: _Known, store: AsyncStore, rest: BinanceRest, clock: ExchangeClock
) -> int:
    """The time in ms from which on candles are shown."""
    first_id = known.continuity.first_id
    from_ms = await whole_from(
        feed.symbol, first_id, known.beside, known.oldest, store, rest, clock
    )
    return as_known(feed, first_id, from_ms, store)


def as_known(feed: Feed, first_id: int, from_ms: int, store: AsyncStore) -> int:
    """The same time, or the earlier one that was found out before."""
    line = store.retention.line(feed.symbol)
    for known_id, known_ms in (
        (line.first_id, line.whole_from_ms),  # the trades before it have been here
        (feed.whole_first_id, feed.live.whole_from_ms),  # it was found out earlier
    ):
        if 0 < first_id <= known_id:
            from_ms = min(from_ms, known_ms)
    return max(from_ms, line.candles_since_ms)
