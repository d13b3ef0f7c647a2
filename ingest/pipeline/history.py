"""Candles of any timeframe as they are now, from the store and the live minutes together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.binance.clock import ExchangeClock
from ingest.core.candle import Candle
from ingest.core.live import Frame
from ingest.core.paging import EMPTY, Known, beginning, page
from ingest.core.status import DataStatus, Quality
from ingest.core.timeframe import bucket_start, first_bucket
from ingest.storage import CandlePage, Store

from .feed import Feed

MAX_FRAMES = 1000
"""Timeframes whose open part is remembered for the next question, until the minute ends."""


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Which candles to show, and how far they can be relied upon: none when not complete."""

    candles: CandlePage
    count: int
    next_cursor: int | None
    status: DataStatus


class History:
    """Pages of candles, whether somebody watches their timeframe or not."""

    def __init__(self, store: Store, clock: ExchangeClock) -> None:
        self._store = store
        self._clock = clock
        self._frames: dict[tuple[str, int], tuple[tuple[int, int], Frame]] = {}
        """By symbol and timeframe, with the watermark and the revision that they hold for."""

    async def page(
        self,
        feed: Feed,
        timeframe: int,
        limit: int,
        *,
        start_time: int | None = None,
        end_time: int | None = None,
        cursor: int | None = None,
    ) -> HistoryPage:
        """A page as `core.paging` has it. Raises StoreUnavailable."""
        while (status := feed.status).quality is Quality.COMPLETE:
            watermark, revision = feed.live.watermark, feed.revision
            frame = feed.live.frames.get(timeframe)
            if frame is None:
                frame = await self._frame(feed, timeframe, watermark)
            first = await self._store.run(self._store.candles.first_minute, feed.symbol)
            if (feed.live.watermark, feed.revision) != (watermark, revision):
                continue  # it changed while it was read
            live = list(
                frame.walk(
                    feed.live.minutes, max(feed.shown_ms(self._clock.now_ms()), feed.live.newest_ms)
                )
            )
            known = _known(timeframe, first, feed.whole_from_ms, live)
            wanted = EMPTY
            if known is not None:
                wanted = page(
                    timeframe, known, limit, start_time=start_time, end_time=end_time, cursor=cursor
                )
            return HistoryPage(
                CandlePage(
                    feed.symbol, timeframe, wanted.start_ms, wanted.end_ms, frame.bucket, live
                ),
                (wanted.end_ms - wanted.start_ms) // frame.width,
                wanted.next_cursor,
                status,
            )
        nothing = CandlePage(feed.symbol, timeframe, 0, 0, 0, ())
        return HistoryPage(nothing, 0, beginning(timeframe, start_time, cursor), status)

    async def _frame(self, feed: Feed, timeframe: int, watermark: int) -> Frame:
        """What the store has up to the watermark; the same until that or the past has changed."""
        key, state = (feed.symbol, timeframe), (watermark, feed.revision)
        kept = self._frames.get(key)
        if kept is not None and kept[0] == state:
            return kept[1]
        frame = Frame(timeframe)
        basis = self._store.candles.basis
        frame.rebase(watermark, *await self._store.run(basis, feed.symbol, timeframe, watermark))
        if len(self._frames) >= MAX_FRAMES:
            self._frames.clear()
        self._frames[key] = state, frame
        return frame


def _known(
    timeframe: int, first_minute: int | None, whole_from_ms: int, live: Sequence[Candle]
) -> Known | None:
    """The candles that there are; None when there are none."""
    if not live:
        return None
    first = live[0].candle_time
    if first_minute is not None:
        first = min(first, bucket_start(first_minute, timeframe))
    return Known(first_bucket(max(first, whole_from_ms), timeframe), live[-1].candle_time)
