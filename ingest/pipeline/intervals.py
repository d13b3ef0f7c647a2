"""Candles of any interval, those of weeks, months and zones joined of shorter ones."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from itertools import groupby

from generated.native.facts import TIMEFRAME_MAXIMUM, TIMESTAMP_MS_MAXIMUM
from ingest.core.candle import Candle, merged
from ingest.core.errors import CandlecastError, NotReady
from ingest.core.interval import Interval
from ingest.core.paging import Bounds
from ingest.core.timeframe import width_ms

from .pair import Pair
from .view import MarketView

MAX_PARTS = 200_000
"""Candles of which those of a page are made, where they are made of others."""
LATEST_MS = TIMESTAMP_MS_MAXIMUM - width_ms(TIMEFRAME_MAXIMUM)
"""The latest time for which the calendar has the bucket after, too."""


class TooManyParts(CandlecastError):
    """More candles than can be made of their parts."""

    def __init__(self, fits: int) -> None:
        """`fits` are as many as can be made."""
        super().__init__(f"At most {fits} candles of this interval are served: ask for fewer")
        self.fits = fits


async def candles(
    view: MarketView, symbol: str, interval: Interval, limit: int, bounds: Bounds
) -> Sequence[Candle]:
    """The first `limit` candles from `bounds.start_time` on, or else the last ones.

    Raises UnknownSymbol, StoreUnavailable, TooManyParts, and NotReady while the data is not
    complete.
    """
    if interval.base == interval.minutes:
        return await view.candles(Pair(symbol, interval.minutes), limit, bounds)
    start, end = bounds.start_time, bounds.end_time
    whole = Bounds(
        None if start is None else interval.first_from(start),
        None if end is None else interval.after(interval.start(end)) - 1,
    )
    most = (limit + 1) * interval.most_base_buckets
    parts = await view.candles(Pair(symbol, interval.base), min(most, MAX_PARTS), whole)
    if len(parts) == MAX_PARTS < most:
        raise TooManyParts(MAX_PARTS // interval.most_base_buckets - 1)
    joined = partial(_joined, interval, parts, view.whole_from_ms(symbol))
    # It may be many parts: those of odd minutes in the days of a zone are single minutes.
    if start is None:
        is_cut = len(parts) >= most
        return (await asyncio.to_thread(joined, cuts_first=is_cut))[-limit:]
    return (await asyncio.to_thread(joined))[:limit]


def check_beginning(view: MarketView, symbol: str, interval: Interval) -> None:
    """Raise NotReady where the first whole candle has not begun yet: an empty page would say that
    the symbol has no history."""
    if interval.first_from(view.whole_from_ms(symbol)) > view.newest_ms(symbol):
        raise NotReady(
            f"The history of {symbol} has no whole candle of {interval.name} yet; ask for a shorter"
            " interval, or let CANDLECAST_HISTORY reach further back"
        )


def _joined(
    interval: Interval, parts: Sequence[Candle], whole_from_ms: int, *, cuts_first: bool = False
) -> list[Candle]:
    """The candles of the buckets that some parts, in order, come to.

    Buckets that begin before `whole_from_ms` lack trades. With `cuts_first` the first one lacks
    parts.
    """
    by_bucket = groupby(parts, lambda part: interval.start(part.candle_time))
    groups = [(start, list(some)) for start, some in by_bucket][cuts_first:]
    joined = (merged(some, start) for start, some in groups if start >= whole_from_ms)
    return [candle for candle in joined if candle is not None]
