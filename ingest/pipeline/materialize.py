"""Materializes the pairs that are used, one at a time, drops those that are not, adds levels."""

from __future__ import annotations

import asyncio

from ingest.binance.now import now_s
from ingest.core.usage import Usage

from .pair import Pair
from .retry import Retry

MAX_MATERIALIZED = 500
IDLE_SECONDS = 86_400.0

CYCLE_SECONDS = 1.0
LEVELS_AT_ONCE = 5
"""Symbols that are given their levels in a cycle, before a watched pair may have its turn."""
READING_SECONDS = 60.0
"""The rows of a dropped pair are deleted so much later: a read may have begun before."""


class Materializer:
    """Keeps the materialized pairs of a store within a bound, and every symbol's levels written."""

    def __init__(
        self,
        retry: Retry,
        limit: int = MAX_MATERIALIZED,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        """At most `limit` pairs stay, and none that nobody has watched for `idle_seconds`."""
        self._retry = retry
        self._usage: Usage[Pair] = Usage(limit, idle_seconds, now_s())
        self._dropped = dict.fromkeys(map(Pair._make, retry.store.candles.dropped), 0.0)
        """When each dropped pair was dropped."""

    def watched(self, pair: Pair) -> None:
        """Somebody watches a pair that nobody watched."""
        self._usage.watched(pair, now_s())

    def released(self, pair: Pair) -> None:
        """Nobody watches a pair any more."""
        self._usage.released(pair, now_s())

    async def run(self) -> None:
        """Materialize and drop until cancelled."""
        while True:
            await self._step()
            await asyncio.sleep(CYCLE_SECONDS)

    async def _step(self) -> None:
        candles, retry = self._retry.store.candles, self._retry
        await retry(candles.add_levels, LEVELS_AT_ONCE)
        while True:
            kept = {*map(Pair._make, candles.pairs)}
            drop, keep = self._usage.change(kept, now_s(), self._dropped)
            for pair in drop:
                await retry(candles.drop, *pair)
                self._dropped[pair] = now_s()
            if keep is None:
                break
            await retry(candles.materialize, *keep)
        over = now_s() - READING_SECONDS
        unread = [pair for pair, dropped in self._dropped.items() if dropped <= over]
        if unread:
            await retry(candles.delete_dropped, unread)
            for pair in unread:
                del self._dropped[pair]
