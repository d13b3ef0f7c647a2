"""Where the trades of a symbol begin: those beside the first that matters, and their time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ingest.binance.clock import ExchangeClock
from ingest.binance.page import MAX_ROWS, Page
from ingest.binance.rest import BinanceRest, Edge
from ingest.core.continuity import Gap
from ingest.core.trade import Trade
from ingest.storage import AsyncStore

from .impossible import DISORDER_MS

MAX_PAGES = 10
"""So many pages at most are asked for to find the times of the trades before the first."""

ROWS_BEFORE = 500
"""Of so many trades before the first the times are looked at. The rest of their page is history:
all of it for most symbols, which need no other request then."""


class Beside(NamedTuple):
    """The trades on both sides of the first id that matters."""

    newest_ms: int = -1
    """The latest time of those before it; -1 for none."""
    are_all: bool = False
    """Whether all of those before it were given."""
    trades: Sequence[Trade] = ()
    """Those from it on."""
    last_id: int = -1
    """The id of the last of them; -1 where it is not known."""
    may_go_on: bool = True
    """Whether there may be more of them than fit into the page."""


async def trades_beside(symbol: str, first_id: int, rest: BinanceRest) -> Beside:
    """The trades just before an id, and those from it on that come with them."""
    newest_ms, start, are_all = -1, max(0, first_id - ROWS_BEFORE), True
    for _ in range(MAX_PAGES):  # a page may be shorter than what was asked for
        page = await rest.agg_trades(symbol, from_id=start, limit=MAX_ROWS)
        before = page.reading(Gap(start, first_id - 1))
        newest_ms = max([newest_ms, *(trade.timestamp for trade in before.trades)])
        # One answer that passes over an id does not say that there is no such trade.
        are_all = are_all and not before.unreadable and not before.absent
        if before.next_id is None:
            return Beside(newest_ms, are_all and newest_ms >= 0, *_from(page, first_id))
        if before.next_id == start:
            break
        start = before.next_id
    return Beside(newest_ms)


def _from(page: Page, first_id: int) -> tuple[list[Trade], int, bool]:
    """The trades of a page from an id on, the id of the last, and whether there may be more."""
    trades = [trade for trade in page.trades if trade.aggregate_id >= first_id]
    last_id = page.last_id
    if last_id is None or page.nameless:
        return trades, -1, True
    return trades, last_id, len(page.ids) >= MAX_ROWS


async def whole_from(
    symbol: str,
    first_id: int,
    beside: Beside,
    oldest: Edge | None,
    store: AsyncStore,
    rest: BinanceRest,
    clock: ExchangeClock,
) -> int:
    """The time in ms from which on every trade of the exchange is among those that matter.

    That is just after the trades before the first of them, whose times may run against their ids.
    Where the exchange begins with it, it is the beginning of time. Where not all of the trades
    before it are given, the missing ones are at most DISORDER_MS later than it.
    """
    if first_id == 0:
        return 0
    if beside.are_all:
        return beside.newest_ms + 1
    beginning = await rest.agg_trades(symbol, from_id=0, limit=1)
    if beginning.trades and beginning.trades[0].aggregate_id >= first_id:
        return 0
    if oldest is not None and oldest.trade and oldest.aggregate_id == first_id:
        first_ms: int | None = oldest.trade.timestamp
    else:
        first_ms = await store.trades.time_of(symbol, first_id)
    return max(clock.now_ms() if first_ms is None else first_ms, beside.newest_ms) + DISORDER_MS
