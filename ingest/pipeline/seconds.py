"""Candles of seconds, made of the trades that the store has."""

from __future__ import annotations

from ingest.core.candle import Candle, filled
from ingest.core.paging import Bounds
from ingest.core.timeframe import MINUTE_MS, bucket_start, first_bucket
from ingest.storage import AsyncStore

from .feed import Feed
from .hot import Hot

SECOND_MS = 1000
SLACK_MS = 10_000
"""Trades that are younger may not be stored yet."""


async def seconds(
    store: AsyncStore, hot: Hot, feed: Feed, limit: int, bounds: Bounds
) -> list[Candle]:
    """The first `limit` candles from `bounds.start_time` on, or else the last ones.

    Quiet ones are flat. They reach from the first whole minute whose trades are kept to the newest
    trade that is stored. The data has to be complete. Raises StoreUnavailable.
    """
    symbol, live, given = feed.symbol, feed.live, bounds.start_time
    last = feed.last_trade
    if last is None:
        return []
    whole_from_ms = max(live.whole_from_ms, store.retention.line(symbol).trades_since_ms)
    since = first_bucket(whole_from_ms, 1)
    first = await hot.first_minute(symbol, since) or since
    newest = _second(last.timestamp)
    end = SECOND_MS + (newest if bounds.end_time is None else min(newest, _second(bounds.end_time)))
    if given is None:
        start = max(first, end - limit * SECOND_MS - SLACK_MS)
    else:
        start = max(first, _second(given + SECOND_MS - 1))
        end = min(end, start + limit * SECOND_MS + MINUTE_MS)  # the first minute may begin quiet
    if start >= end:
        return []
    # Up to the watermark the minutes have the close before; from there on only the trades do.
    begin = max(first, min(bucket_start(start, 1), live.watermark))
    before = []
    if begin > first:
        before = await store.candles.read(symbol, 1, begin, 1, live.whole_from_ms)
    traded = await store.trades.seconds(symbol, begin, end)
    if end > newest:
        end = traded[-1].candle_time + SECOND_MS if traded else begin
    close = before[-1].close if before else None
    candles = filled(traded, begin, end, SECOND_MS, close)
    shown = [candle for candle in candles if candle.candle_time >= start]
    return shown[-limit:] if given is None else shown[:limit]


def _second(time_ms: int) -> int:
    return time_ms // SECOND_MS * SECOND_MS
