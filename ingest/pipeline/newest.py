"""The exchange's newest trade, as far as it can be believed."""

from __future__ import annotations

from ingest.binance.rest import BinanceRest, Edge
from ingest.binance.weight import Priority
from ingest.core.errors import ExchangeUnavailable

PLAUSIBLE_JUMP = 1000
"""An id so far ahead of the newest known one is believed alone: the exchange has to answer to a
request for a higher one too."""


async def newest_trade(
    rest: BinanceRest, symbol: str, known_id: int, priority: Priority = Priority.GAP
) -> Edge | None:
    """The newest trade, or None when there is none yet; `known_id` is the newest known id.

    Raises ExchangeUnavailable when the exchange does not find the trade by its own id.
    """
    newest = await rest.newest(symbol, priority=priority)
    if newest is None or newest.aggregate_id <= known_id + PLAUSIBLE_JUMP:
        return newest
    page = await rest.agg_trades(symbol, from_id=newest.aggregate_id, limit=1, priority=priority)
    if page.first_id != newest.aggregate_id and not page.nameless:
        raise ExchangeUnavailable(
            f"The exchange gives {newest.aggregate_id} as the newest id of {symbol} and has no "
            "trade with that id: ask again in a minute"
        )
    return newest
