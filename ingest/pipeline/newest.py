"""The exchange's newest trade, as far as it can be believed."""

from __future__ import annotations

from ingest.binance.page import MAX_ROWS, Page
from ingest.binance.rest import BinanceRest, Edge
from ingest.binance.weight import Priority
from ingest.core.errors import ExchangeUnavailable

PLAUSIBLE_JUMP = 1000
"""An id so far ahead of the newest known one is believed alone: the exchange has to answer to a
request for a higher one too."""


async def newest_trade(
    rest: BinanceRest, symbol: str, known_id: int, priority: Priority = Priority.GAP
) -> Edge | None:
    """The newest trade, or None when there is none yet; `known_id` is the newest known id, -1 for
    none.

    One that is not just after a known one is held to what the exchange has from its id on. Raises
    ExchangeUnavailable when it does not find the trade by its own id, or has many after it and
    gives an older one as the newest still.
    """
    newest = await rest.newest(symbol, priority=priority)
    if newest is None or (known_id >= 0 and newest.aggregate_id <= known_id + PLAUSIBLE_JUMP):
        return newest
    page = await _from(newest, rest, symbol, priority)
    if len(page.ids) + page.nameless < MAX_ROWS:
        return _last(page, newest)
    again = await rest.newest(symbol, priority=priority)  # the first answer may have been a lie
    if again is None or again.aggregate_id < max(page.ids, default=0):
        raise ExchangeUnavailable(
            f"The exchange gives {newest.aggregate_id} as the newest id of {symbol} and has many "
            "after it: ask again in a minute"
        )
    return _last(await _from(again, rest, symbol, priority), again)


async def _from(newest: Edge, rest: BinanceRest, symbol: str, priority: Priority) -> Page:
    """The trades from one on that is said to be the newest; ExchangeUnavailable if it is none."""
    page = await rest.agg_trades(symbol, from_id=newest.aggregate_id, priority=priority)
    if not page.nameless and page.first_id != newest.aggregate_id:
        raise ExchangeUnavailable(
            f"The exchange gives {newest.aggregate_id} as the newest id of {symbol} and has no "
            "trade with that id: ask again in a minute"
        )
    return page


def _last(page: Page, newest: Edge) -> Edge:
    """The last trade of a page that begins with the one that is said to be the newest."""
    last = page.last_id
    if last is None or last <= newest.aggregate_id:
        return newest
    return Edge(last, next((t for t in page.trades if t.aggregate_id == last), None))
