"""The stored data of the followed symbols, beside candles."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from ingest.storage import (
    AsyncStore,
    ConfirmedGap,
    Selection,
    Statistics,
    TableFormat,
    TradePage,
    View,
)

from .feed import Feed


@dataclass(frozen=True, slots=True)
class Inventory:
    """An inventory of one symbol. Times are in milliseconds."""

    first_trade_ms: int | None
    trades_since_ms: int
    """Older trades have been dropped; 0 when none have."""
    candles_since_ms: int
    confirmed_gaps: Sequence[ConfirmedGap]
    timeframes: Sequence[int]
    """Those that are materialized, in minutes."""


class Stored:
    """Reads from one store. Every call raises StoreUnavailable."""

    def __init__(self, store: AsyncStore) -> None:
        self._store = store

    async def trades(self, wanted: Selection, limit: int) -> tuple[TradePage, int | None]:
        """A page of trades as JSON, and the id that the next one begins with.

        The first `limit` of a selection that has a beginning, else the newest ones.
        """
        trades = self._store.trades
        if not wanted.has_beginning:
            page = await trades.latest(wanted.symbol, limit, end_time=wanted.end_time)
            return page, None
        page = await trades.page(wanted, limit)
        return page, _after(page.last_id) if page.count == limit else None

    async def trades_table(
        self, wanted: Selection, limit: int, fmt: TableFormat
    ) -> tuple[AsyncIterator[bytes], int | None]:
        """The same page as a table in pieces."""
        trades = self._store.trades
        last_id = None
        if wanted.has_beginning:
            last_id = await trades.last_id_of_page(wanted, limit)
            wanted = replace(wanted, to_id=last_id)
        else:
            wanted = await trades.latest_selection(wanted.symbol, limit, wanted.end_time)
        return await self._store.pages.trades_table(wanted, fmt), _after(last_id)

    async def inventory(self, feed: Feed) -> Inventory:
        """The inventory of a symbol."""
        store, symbol = self._store, feed.symbol
        lowest = feed.continuity.lowest if feed.continuity else None
        line = store.retention.line(symbol)
        return Inventory(
            first_trade_ms=None if lowest is None else await store.trades.time_of(symbol, lowest),
            trades_since_ms=line.trades_since_ms,
            candles_since_ms=line.candles_since_ms,
            confirmed_gaps=(await store.gaps.confirmed()).get(symbol, ()),
            timeframes=sorted(minutes for name, minutes in store.candles.pairs if name == symbol),
        )

    async def materialized(self, symbol: str) -> list[View]:
        """The materialized timeframes of a symbol."""
        return await self._store.candles.views(symbol)

    async def statistics(self) -> Statistics:
        """The database's version and size."""
        return await self._store.statistics()


def _after(last_id: int | None) -> int | None:
    return None if last_id is None else last_id + 1
