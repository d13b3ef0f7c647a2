"""Fetches what a feed lacks over REST, by id: new gaps at once, the others when they are due.

An answer says of each id whether it is there, unreadable, or passed over (`binance.page`);
`core.missing` decides from that when it is asked for again, and when it counts as absent for good.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple

from generated.native.facts import DataQuality, GapKind
from ingest.binance.clock import ExchangeClock
from ingest.binance.limits import pause_before
from ingest.binance.now import now_s
from ingest.binance.page import MAX_ROWS, Page
from ingest.binance.rest import BinanceRest
from ingest.binance.weight import Priority
from ingest.core.continuity import Continuity, Gap
from ingest.core.errors import ExchangeError
from ingest.core.missing import Missing

from .feed import Feed
from .impossible import has_impossible_ids
from .malformed import MalformedMessages
from .retry import Retry

PAGES_AT_ONCE = 4
REORDER_GRACE_SECONDS = 0.3
"""A message that only came out of order fills its gap by itself within this time."""
RETRY_SPACING_SECONDS = 1.0
"""Between two requests for ids that were asked for before."""
RETRACT_ANSWERS = 3
RETRACT_SECONDS = 20.0
"""After so many answers, over so long, that had nothing from an id on, it is not believed that
the exchange has a higher one. What has come below it meanwhile does not speak for it."""
FETCHED_AHEAD = 10_000
"""When so many trades of a symbol wait for the store, no more are fetched: it stores them faster
than the exchange gives them, and what waits is memory."""
ROOM_SECONDS = 0.1

log = logging.getLogger(__name__)


class _Request(NamedTuple):
    """The ids that an answer is read against: the next `limit` rows, up to the last wanted id."""

    asked: Gap
    limit: int
    is_retry: bool


class Refill:
    """Fetches what is missing of one feed, oldest first."""

    def __init__(
        self,
        feed: Feed,
        rest: BinanceRest,
        retry: Retry,
        malformed: MalformedMessages,
        clock: ExchangeClock,
        confirm_seconds: float,
        remove_from: Callable[[Feed, int], Awaitable[None]],
    ) -> None:
        """`confirm_seconds` is the time over which the exchange has to pass over ids before they
        count as absent. `remove_from` takes out the trades of a feed from an id on."""
        self._feed = feed
        self._rest = rest
        self._retry = retry
        self._malformed = malformed
        self._clock = clock
        self._confirm_seconds = confirm_seconds
        self._remove_from = remove_from
        self._silences: tuple[int, int, float] = (-1, 0, 0.0)
        """The id up to which nothing came, how often, and since when."""

    async def run(self) -> None:
        """Fetch what is missing until cancelled."""
        failures = 0
        while True:
            if self._feed.gap_opened.is_set():
                self._feed.gap_opened.clear()
                await asyncio.sleep(REORDER_GRACE_SECONDS)
            try:
                if requests := self._new():
                    # A TaskGroup would forget that it was cancelled when a request fails then.
                    answers = await asyncio.gather(
                        *map(self._fetch, requests), return_exceptions=True
                    )
                    for answer in answers:
                        if isinstance(answer, BaseException):
                            raise answer
                elif request := self._again():
                    await self._fetch(request)
                    await asyncio.sleep(RETRY_SPACING_SECONDS)
                else:
                    await self._wait()
                failures = 0
            except ExchangeError as error:
                failures += 1
                symbol = self._feed.symbol
                log.warning("%s: missing ids wait: %s", symbol, error, extra={"symbol": symbol})
                await asyncio.sleep(pause_before(failures))

    async def _wait(self) -> None:
        """Wait for a new gap, or until missing ids are due."""
        continuity = self._feed.continuity
        due = continuity.next_due if continuity is not None else None
        with suppress(TimeoutError):
            async with asyncio.timeout(None if due is None else max(0.0, due - now_s())):
                await self._feed.gap_opened.wait()

    def _due(self, *, new: bool) -> list[Missing]:
        continuity = self._feed.continuity
        if continuity is None:
            return []
        found = continuity.due(now_s())
        return [item for item in found if (item.kind is GapKind.OPEN and item.tries == 0) is new]

    def _new(self) -> list[_Request]:
        """Requests for ids that were never asked for, the oldest first, as many as go at once."""
        requests: list[_Request] = []
        for item in self._due(new=True):
            start = item.from_id
            while start <= item.to_id:
                first = start
                if requests and start < requests[-1].asked.from_id + MAX_ROWS:
                    first = requests.pop().asked.from_id
                elif len(requests) == PAGES_AT_ONCE:
                    return requests
                last = min(item.to_id, first + MAX_ROWS - 1)
                requests.append(_Request(Gap(first, item.to_id), last - first + 1, is_retry=False))
                start = last + 1
        return requests

    def _again(self) -> _Request | None:
        """A request for ids that are due again; those confirmed to be absent come last."""
        items = self._due(new=False)
        if not items:
            return None
        first = min(items, key=lambda item: (item.kind is GapKind.CONFIRMED, item.due)).from_id
        last = max(i.to_id for i in items if first <= i.from_id < first + MAX_ROWS)
        return _Request(Gap(first, last), min(last - first + 1, MAX_ROWS), is_retry=True)

    async def _fetch(self, request: _Request) -> None:
        """Ask for a page, take in its trades and note what it says of the other ids."""
        feed, asked = self._feed, request.asked
        while feed.waiting > FETCHED_AHEAD:  # noqa: ASYNC110  # rare, and brief
            await asyncio.sleep(ROOM_SECONDS)
        loading = feed.status.quality is DataQuality.LOADING or feed.is_whole
        page = await self._rest.agg_trades(
            feed.symbol,
            from_id=asked.from_id,
            limit=request.limit,
            priority=Priority.HISTORY if loading else Priority.GAP,
        )
        if feed.continuity is None:  # it was opened anew meanwhile
            return
        reading, now = page.reading(asked), now_s()
        if not request.is_retry:
            self._put_aside(page)
        feed.accept(reading.trades, self._clock.latest_ms(), refetched=True)
        unreadable = (*reading.unreadable, *feed.lacking(reading.trades))
        feed.note_unreadable(unreadable, now, self._clock.now_ms())
        if reading.next_id == asked.from_id:
            await self._be_silent(feed.continuity, asked, now)
        for gap in reading.absent:
            for missing in feed.continuity.mark_absent(gap, now, self._confirm_seconds):
                await self._confirm(missing)
        if reading.next_id is not None and len(reading.trades) < request.limit:
            await self._check_above(feed.continuity, asked.to_id)

    async def _confirm(self, missing: Missing) -> None:
        symbol, gap = self._feed.symbol, missing.gap
        log.warning(
            "%s: the exchange does not have ids %d-%d", symbol, *gap, extra={"symbol": symbol}
        )
        await self._retry(self._retry.store.gaps.confirm, symbol, *gap, missing.tries + 1)

    async def _be_silent(self, continuity: Continuity, asked: Gap, now: float) -> None:
        """Note that the exchange had nothing at these ids or after them."""
        continuity.mark_silent(asked, now)
        claimed, count, since = self._silences
        if claimed != continuity.high_water:
            claimed, count, since = continuity.high_water, 0, now
        self._silences = claimed, count + 1, since
        is_over = count + 1 >= RETRACT_ANSWERS and now - since >= RETRACT_SECONDS
        if is_over and continuity.retract(asked.from_id - 1):
            symbol = self._feed.symbol
            log.warning(
                "%s: the exchange has no id from %d to %d, though it gave one that was higher",
                *(symbol, asked.from_id, claimed),
                extra={"symbol": symbol},
            )
            self._feed.be_in_doubt(self._clock.now_ms())

    async def _check_above(self, continuity: Continuity, last_id: int) -> None:
        """Remove the trades above the gap that ends here if they cannot be the exchange's."""
        gap = next((gap for gap in continuity.gaps if gap.to_id == last_id), None)
        symbol = self._feed.symbol
        if gap is None or gap.to_id == continuity.high_water:
            return
        if await has_impossible_ids(symbol, gap, self._retry, self._rest):
            log.warning(
                "%s: the trades from id %d on are older than those before them, and the exchange"
                " does not have them: they are removed",
                *(symbol, gap.to_id + 1),
                extra={"symbol": symbol},
            )
            await self._remove_from(self._feed, gap.to_id + 1)

    def _put_aside(self, page: Page) -> None:
        self._feed.counters.malformed += len(page.malformed)
        for malformed in page.malformed:
            self._malformed.add(self._feed.symbol, malformed.raw, str(malformed.error))
