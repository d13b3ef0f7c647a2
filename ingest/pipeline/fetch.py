"""Fetches the missing ids of one symbol over REST, until nothing more can be had for now."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence

from generated.native.facts import GapKind
from ingest.binance.now import now_s
from ingest.binance.page import MAX_ROWS, Malformed
from ingest.binance.rest import BinanceRest
from ingest.binance.weight import Priority
from ingest.core.continuity import Continuity, Gap
from ingest.core.errors import RateLimited
from ingest.core.missing import Missing
from ingest.core.trade import Trade

PAGES_AT_ONCE = 4
TRADES_AT_ONCE = 10_000
"""Trades are handed over in batches of so many."""
UNREADABLE_TRIES = 3
"""Requests for ids that cannot be read, before they are left for another run."""
SILENT_ROUNDS = 3
"""Rounds in a row in which nothing was learnt, before what is missing is left for another run."""


class Fetch:
    """One download: what comes goes to `take`, rows that are no trades to `put_aside`."""

    def __init__(
        self,
        symbol: str,
        rest: BinanceRest,
        continuity: Continuity,
        confirm_seconds: float,
        *,
        take: Callable[[list[Trade]], Awaitable[object]],
        put_aside: Callable[[Sequence[Malformed]], Awaitable[object]],
        note: Callable[[str], object],
    ) -> None:
        """`continuity` has what is missing; ids count as absent when the exchange has passed over
        them for `confirm_seconds`."""
        self.confirmed: list[Missing] = []
        """Ids that this download found to be absent."""
        self._symbol = symbol
        self._rest = rest
        self._continuity = continuity
        self._confirm_seconds = confirm_seconds
        self._take = take
        self._put_aside = put_aside
        self._note = note
        self._learnt = False
        self._is_at_end = False
        """Whether the exchange had nothing from an id on in this round."""

    async def run(self) -> None:
        """Ask until each id is here, confirmed to be absent, or left. Raises ExchangeError."""
        silent_rounds = 0
        while silent_rounds < SILENT_ROUNDS and (wanted := self._wanted()):
            await asyncio.sleep(max(0.0, min(item.due for item in wanted) - now_s()))
            now, self._learnt, self._is_at_end = now_s(), False, False
            pages = _pages([item for item in wanted if item.due <= now])
            async with asyncio.TaskGroup() as group:
                for _ in range(PAGES_AT_ONCE):
                    group.create_task(self._work(pages))
            silent_rounds = 0 if self._learnt else silent_rounds + 1

    def _wanted(self) -> list[Missing]:
        """The ids to ask for in this run: confirmed ones once more, unreadable ones a few times."""
        limits = {GapKind.CONFIRMED: 1, GapKind.UNREADABLE: UNREADABLE_TRIES}
        return [
            item
            for item in self._continuity.missing
            if item.kind not in limits or item.tries < limits[item.kind]
        ]

    async def _work(self, pages: Iterator[tuple[Gap, int]]) -> None:
        """Fetch pages until there are none left, and hand over what comes in batches.

        Beyond an id from which on the exchange has nothing there are none in this round: what is
        missing may reach up to an id that it never had.
        """
        batch: list[Trade] = []
        try:
            for asked, limit in pages:
                if self._is_at_end:
                    break
                if any(item.from_id <= asked.from_id + limit - 1 and item.to_id >= asked.from_id
                       for item in self._continuity.due(now_s())):  # fmt: skip
                    batch += await self._page(asked, limit)
                if len(batch) >= TRADES_AT_ONCE:
                    await self._take(batch)
                    batch = []
        finally:
            if batch:
                await self._take(batch)

    async def _page(self, asked: Gap, limit: int) -> Sequence[Trade]:
        """The trades of a page that were missing; notes what it says of the other ids."""
        while True:
            try:
                page = await self._rest.agg_trades(
                    self._symbol, from_id=asked.from_id, limit=limit, priority=Priority.HISTORY
                )
                break
            except RateLimited as error:
                self._note(str(error))
        reading, now, continuity = page.reading(asked), now_s(), self._continuity
        if page.malformed:
            await self._put_aside(page.malformed)
        fresh = continuity.admit(reading.trades)
        for gap in reading.unreadable:
            continuity.mark_unreadable(gap, now)
        for gap in reading.absent:
            found = continuity.mark_absent(gap, now, self._confirm_seconds)
            self.confirmed += found
        if reading.next_id == asked.from_id:
            continuity.mark_silent(asked, now)
            self._is_at_end = True
        else:
            self._learnt = True
        return fresh


def _pages(wanted: Sequence[Missing]) -> Iterator[tuple[Gap, int]]:
    """Requests for missing ids: what each may answer for, and the rows to ask for.

    An answer names the first id that there is, so it may pass over a whole range at once.
    """
    for item in wanted:
        for start in range(item.from_id, item.to_id + 1, MAX_ROWS):
            yield Gap(start, item.to_id), min(MAX_ROWS, item.to_id - start + 1)
