"""Candles in the twelve columns of klines, of any interval."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import lru_cache, partial
from itertools import groupby

from generated.native.facts import TIMEFRAME_MAXIMUM, TIMESTAMP_MS_MAXIMUM, DataQuality
from handlers.binance.intervals import Interval
from handlers.problem import InvalidParameter
from ingest.core.candle import Candle, merged
from ingest.core.errors import NotReady
from ingest.core.fixed import eight_places
from ingest.core.paging import Bounds
from ingest.core.rows import array_of
from ingest.core.timeframe import width_ms
from ingest.pipeline.pair import Pair
from ingest.pipeline.view import MarketView, not_complete
from ingest.storage import Form

COLUMNS = (
    *("candle_time", "open_8", "high_8", "low_8", "close_8", "volume_8", "close_time"),
    *("quote_volume_8", "trades_count", "taker_buy_volume_8", "taker_buy_quote_volume_8"),
    "nothing",
)
"""By the names that the store has for them."""
QUOTE_UNITS = 10**8
"""As many units of a quote volume are one of the eighth place; the rest is cut off."""
FORMS_KEPT = 1000
MAX_PARTS = 200_000
"""Candles of which those of a page are made, where they are made of others."""
LATEST_MS = TIMESTAMP_MS_MAXIMUM - width_ms(TIMEFRAME_MAXIMUM)


async def klines(
    view: MarketView,
    symbol: str,
    interval: Interval,
    limit: int,
    start_time: int | None,
    end_time: int | None,
) -> bytes:
    """The first `limit` candles from a time on, or else the last ones, as a JSON array.

    Raises UnknownSymbol, StoreUnavailable, InvalidParameter for more than can be made of parts, and
    NotReady while the data is not complete.
    """
    start, end = _within(start_time), _within(end_time)
    if interval.base == interval.minutes:
        pair, form = Pair(symbol, interval.minutes), form_of(interval.minutes)
        page = await view.page(pair, limit, Bounds(start, end), form)
        if page.status.quality is not DataQuality.COMPLETE:
            raise not_complete(view.feed(symbol))
        if not page.count:
            _check_beginning(view, symbol, interval)
        return array_of([*(rows.text for rows in page.closed), *_rows(interval, page.live)])
    bounds = Bounds(
        None if start is None else interval.first_from(start),
        None if end is None else interval.after(interval.start(end)) - 1,
    )
    most = (limit + 1) * interval.most_base_buckets
    parts = await view.candles(Pair(symbol, interval.base), min(most, MAX_PARTS), bounds)
    if len(parts) == MAX_PARTS < most:
        fits = MAX_PARTS // interval.most_base_buckets - 1
        raise InvalidParameter("query.limit", f"at most {fits} of these, in this zone")
    joined = partial(_joined, interval, parts, view.whole_from_ms(symbol))
    # It may be many parts: those of odd minutes in the days of a zone are single minutes.
    if start is None:
        is_cut = len(parts) >= most
        candles = (await asyncio.to_thread(joined, cuts_first=is_cut))[-limit:]
    else:
        candles = (await asyncio.to_thread(joined))[:limit]
    if not candles:
        _check_beginning(view, symbol, interval)
    return array_of(_rows(interval, candles))


def _check_beginning(view: MarketView, symbol: str, interval: Interval) -> None:
    """Raise NotReady where the first whole candle has not begun yet: an empty page would say that
    the symbol has no history."""
    if interval.first_from(view.whole_from_ms(symbol)) > view.newest_ms(symbol):
        raise NotReady(
            f"The history of {symbol} has no whole candle of {interval.name} yet; ask for a shorter"
            " interval, or let CANDLECAST_HISTORY reach further back"
        )


def _within(time_ms: int | None) -> int | None:
    """A time in a year that a calendar has, and the next one too."""
    return None if time_ms is None else min(time_ms, LATEST_MS)


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


def _rows(interval: Interval, candles: Iterable[Candle]) -> list[bytes]:
    return [_row(candle, interval.after(candle.candle_time) - 1).encode() for candle in candles]


@lru_cache(FORMS_KEPT)
def form_of(minutes: int) -> Form[Candle]:
    """The form of the candles of a timeframe, which the store writes by itself."""
    width = width_ms(minutes)
    return Form(COLUMNS, lambda c: _row(c, c.candle_time + width - 1), is_array=True)


def _row(candle: Candle, close_time: int) -> str:
    prices = '","'.join(
        map(eight_places, (candle.open, candle.high, candle.low, candle.close, candle.volume))
    )
    quote = eight_places(candle.quote_volume // QUOTE_UNITS)
    bought = eight_places(candle.taker_buy_volume)
    bought_quote = eight_places(candle.taker_buy_quote_volume // QUOTE_UNITS)
    return (
        f'[{candle.candle_time},"{prices}",{close_time},"{quote}",{candle.trades_count},'
        f'"{bought}","{bought_quote}","0"]'
    )
