"""Bars of any resolution, as columns."""

from __future__ import annotations

from collections.abc import Sequence

from generated.reply import Raw
from generated.udf import encoders, facts
from generated.udf.models import NoData
from ingest.core.candle import Candle
from ingest.core.fixed import text
from ingest.core.interval import DAY, Interval
from ingest.core.paging import Bounds
from ingest.core.timeframe import width_ms
from ingest.pipeline import intervals
from ingest.pipeline.view import MarketView

SECOND_MS = 1000
SHORTEST_MONTH = 28 * DAY


async def history(
    view: MarketView,
    symbol: str,
    interval: Interval,
    since: int | None,
    until: int,
    countback: int | None,
) -> Raw | NoData:
    """The newest bars before `until`, in seconds: `countback` of them, or those from `since` on.

    Raises UnknownSymbol, StoreUnavailable, and NotReady while the data is not complete or no whole
    bar has begun.
    """
    since_ms, until_ms = max(0, since or 0) * SECOND_MS, max(0, until) * SECOND_MS
    most = min(facts.COUNTBACK_MOST, countback or _most(interval, since_ms, until_ms))
    found = await intervals.candles(view, symbol, interval, most, Bounds(end_time=until_ms - 1))
    bars = found if countback else [bar for bar in found if bar.candle_time >= since_ms]
    if bars:
        return Raw(_columns(bars))
    intervals.check_beginning(view, symbol, interval)
    return NoData(s="no_data", nextTime=found[-1].candle_time) if found else NoData(s="no_data")


def _most(interval: Interval, since_ms: int, until_ms: int) -> int:
    """As many bars as begin in a span, or more: at least one, which may lie before it."""
    return max(0, until_ms - since_ms) // width_ms(interval.minutes or SHORTEST_MONTH) + 1


def _columns(bars: Sequence[Candle]) -> bytes:
    return encoders.bars(
        t=[bar.candle_time // SECOND_MS for bar in bars],
        o=[text(bar.open) for bar in bars],
        h=[text(bar.high) for bar in bars],
        l=[text(bar.low) for bar in bars],
        c=[text(bar.close) for bar in bars],
        v=[text(bar.volume) for bar in bars],
    )
