"""Stored trades with ids that the exchange cannot have given, such as one wrong id of a stream."""

from __future__ import annotations

from ingest.binance.rest import BinanceRest
from ingest.core.continuity import Gap
from ingest.core.timeframe import MINUTE_MS

from .retry import Retry

DISORDER_MS = 5 * MINUTE_MS
"""Times may run against ids, but not by more than this."""


async def has_impossible_ids(symbol: str, gap: Gap, retry: Retry, rest: BinanceRest) -> bool:
    """Whether the trades above a gap, which the exchange gives nothing of, cannot be its own.

    They are older than the trade below the gap, though their ids are higher, and the exchange's
    newest trade has a lower id. A store that is away is waited for. Raises ExchangeError.
    """
    trades = retry.store.trades
    below = await retry(trades.time_of, symbol, gap.from_id - 1)
    above = await retry(trades.newest_time_from, symbol, gap.to_id + 1)
    if below is None or above is None or above + DISORDER_MS >= below:
        return False
    newest = await rest.newest(symbol)
    return newest is not None and newest.aggregate_id <= gap.to_id
