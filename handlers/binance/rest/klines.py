"""Candles in the twelve columns of klines, of any interval."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from generated.native.facts import DataQuality
from handlers.binance.decimals import quote_volume
from handlers.problem import InvalidParameter
from ingest.core.candle import Candle
from ingest.core.fixed import eight_places
from ingest.core.interval import Interval
from ingest.core.paging import Bounds
from ingest.core.rows import array_of
from ingest.core.timeframe import width_ms
from ingest.pipeline import intervals
from ingest.pipeline.intervals import LATEST_MS, TooManyParts, check_beginning
from ingest.pipeline.pair import Pair
from ingest.pipeline.seconds import SECOND_MS
from ingest.pipeline.view import MarketView, not_complete
from ingest.storage import Form

COLUMNS = (
    *("candle_time", "open_8", "high_8", "low_8", "close_8", "volume_8", "close_time"),
    *("quote_volume_8", "trades_count", "taker_buy_volume_8", "taker_buy_quote_volume_8"),
    "nothing",
)
"""By the names that the store has for them."""
FORMS_KEPT = 1000


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
    bounds = Bounds(_within(start_time), _within(end_time))
    if interval.base != interval.minutes:
        candles = await _candles(view, symbol, interval, limit, bounds)
        if not candles:
            check_beginning(view, symbol, interval)
        return array_of(_rows(interval, candles))
    pair, form = Pair(symbol, interval.minutes), form_of(interval.minutes)
    page = await view.page(pair, limit, bounds, form)
    if page.status.quality is not DataQuality.COMPLETE:
        raise not_complete(view.feed(symbol))
    if not page.count:
        check_beginning(view, symbol, interval)
    return array_of([*(rows.text for rows in page.closed), *_rows(interval, page.live)])


async def second_klines(
    view: MarketView, symbol: str, limit: int, start_time: int | None, end_time: int | None
) -> bytes:
    """The same of seconds, which are made of the trades that are kept.

    Raises UnknownSymbol, StoreUnavailable, and NotReady while the data is not complete.
    """
    candles = await view.seconds(symbol, limit, Bounds(_within(start_time), _within(end_time)))
    return array_of(_row(c, c.candle_time + SECOND_MS - 1).encode() for c in candles)


async def _candles(
    view: MarketView, symbol: str, interval: Interval, limit: int, bounds: Bounds
) -> Sequence[Candle]:
    try:
        return await intervals.candles(view, symbol, interval, limit, bounds)
    except TooManyParts as error:
        raise InvalidParameter(
            "query.limit", f"at most {error.fits} of these, in this zone"
        ) from None


def _within(time_ms: int | None) -> int | None:
    """A time within the calendar."""
    return None if time_ms is None else min(time_ms, LATEST_MS)


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
    quote = quote_volume(candle.quote_volume)
    bought = eight_places(candle.taker_buy_volume)
    bought_quote = quote_volume(candle.taker_buy_quote_volume)
    return (
        f'[{candle.candle_time},"{prices}",{close_time},"{quote}",{candle.trades_count},'
        f'"{bought}","{bought_quote}","0"]'
    )
