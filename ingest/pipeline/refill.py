"""Fills the gaps of a feed over REST, by id.

What the exchange does not have after honest tries, though it has what comes after, is a gap of its
own: it is confirmed, kept, and no longer waited for.
"""

from __future__ import annotations

import asyncio
import logging

from ingest.binance.clock import ExchangeClock
from ingest.binance.rest import MAX_ROWS, BinanceRest
from ingest.binance.weight import Priority
from ingest.core.continuity import Gap
from ingest.core.errors import ExchangeError
from ingest.core.status import Quality

from .feed import Feed
from .settle import Settler

PAGES_AT_ONCE = 4
REORDER_GRACE_SECONDS = 0.3
"""A message that only came out of order fills its gap by itself within this time."""
HONEST_TRIES = 3
TRY_AGAIN_SECONDS = 2.0
RETRY_SECONDS = 1.0
ROOM_SECONDS = 0.1

log = logging.getLogger(__name__)


class Refill:
    """Fills the gaps of one feed, oldest first, as they open."""

    def __init__(
        self, feed: Feed, rest: BinanceRest, settler: Settler, clock: ExchangeClock
    ) -> None:
        self._feed = feed
        self._rest = rest
        self._settler = settler
        self._clock = clock

    async def run(self) -> None:
        """Fill gaps until cancelled."""
        while True:
            await self._feed.gap_opened.wait()
            self._feed.gap_opened.clear()
            await asyncio.sleep(REORDER_GRACE_SECONDS)
            while pages := self._pages():
                try:
                    await self._fill(pages)
                except ExchangeError as error:
                    symbol, first = self._feed.symbol, pages[0].from_id
                    log.warning("%s: ids from %d on wait: %s", symbol, first, error)
                    await asyncio.sleep(RETRY_SECONDS)

    def _oldest_gap(self) -> Gap | None:
        continuity = self._feed.continuity
        return continuity.gaps[0] if continuity is not None and continuity.gaps else None

    def _pages(self) -> list[Gap]:
        """What to ask for next: all missing ids, the oldest first, that a few answers can hold."""
        pages: list[Gap] = []
        continuity = self._feed.continuity
        for gap in continuity.gaps if continuity is not None else ():
            start = gap.from_id
            while start <= gap.to_id:
                first = start
                if pages and start < pages[-1].from_id + MAX_ROWS:
                    first = pages.pop().from_id
                elif len(pages) == PAGES_AT_ONCE:
                    return pages
                pages.append(Gap(first, min(gap.to_id, first + MAX_ROWS - 1)))
                start = pages[-1].to_id + 1
        return pages

    async def _fill(self, pages: list[Gap]) -> None:
        """Ask for these pages; what is not there after honest tries is confirmed as missing."""
        # A TaskGroup would forget that it was cancelled when a request fails at that moment.
        answers = await asyncio.gather(*map(self._fetch, pages), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        remaining = self._oldest_gap()
        if remaining is None or remaining.from_id > pages[-1].to_id:
            return
        start, there = remaining.from_id, None
        for _ in range(HONEST_TRIES - 1):
            await asyncio.sleep(TRY_AGAIN_SECONDS)
            there = await self._fetch(Gap(start, start + MAX_ROWS - 1))
            if there == start:
                return
        remaining = self._oldest_gap()
        if there is not None and remaining is not None and remaining.from_id == start:
            missing = Gap(start, min(remaining.to_id, there - 1))
            log.warning("%s: the exchange does not have ids %d-%d", self._feed.symbol, *missing)
            await self._settler.confirm_gap(self._feed, missing, HONEST_TRIES)

    async def _fetch(self, page: Gap) -> int | None:
        """Take in what the exchange has of a page; returns its first id from there on, if any."""
        while self._feed.room < MAX_ROWS * PAGES_AT_ONCE:  # noqa: ASYNC110  # rare, and brief
            await asyncio.sleep(ROOM_SECONDS)
        loading = self._feed.status.quality is Quality.LOADING
        answer = await self._rest.agg_trades(
            self._feed.symbol,
            from_id=page.from_id,
            limit=page.missing,
            priority=Priority.HISTORY if loading else Priority.GAP,
        )
        self._feed.counters.malformed += len(answer.malformed)
        for malformed in answer.malformed:
            self._settler.put_aside(self._feed.symbol, malformed.raw, str(malformed.error))
        wanted = [trade for trade in answer.trades if trade.aggregate_id <= page.to_id]
        self._feed.accept(wanted, self._clock.now_ms(), refetched=True)
        return answer.trades[0].aggregate_id if answer.trades else None
