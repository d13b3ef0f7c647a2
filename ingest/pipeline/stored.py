"""The stored data of the followed symbols, beside candles."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from ingest.core.rows import Rows, newest, oldest
from ingest.core.trade import Trade
from ingest.storage import (
    AsyncStore,
    ConfirmedGap,
    Form,
    Selection,
    Statistics,
    Table,
    View,
)

from .feed import Feed
from .hot import Hot


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

    def __init__(self, store: AsyncStore, hot: Hot) -> None:
        self._store = store
        self._hot = hot

    async def trades(
        self, wanted: Selection, limit: int, form: Form[Trade]
    ) -> tuple[Sequence[Rows], int | None]:
        """A page of trades, and the id that the next one begins with.

        The first `limit` of a selection that has a beginning, else the newest ones.
        """
        trades = self._store.trades
        rows: Sequence[Rows] | None = None
        if wanted.start_time is None and wanted.end_time is None:
            rows = await self._hot_trades(wanted.symbol, wanted.from_id, limit, form)
        if rows is None and wanted.has_beginning:
            rows = [await trades.page(wanted, limit, form)]
        elif rows is None:
            rows = [await trades.latest(wanted.symbol, limit, form, end_time=wanted.end_time)]
        if not wanted.has_beginning or sum(map(len, rows)) < limit:
            return rows, None
        return rows, _after(rows[-1].keys[-1])

    async def _hot_trades(
        self, symbol: str, from_id: int | None, limit: int, form: Form[Trade]
    ) -> Sequence[Rows] | None:
        """The first `limit` trades from an id on, else the newest ones.

        None where they are not close together, for it is cheaper to let the store look for them.
        """
        bounds = await self._store.trades.bounds(symbol)
        for count in (limit, 2 * limit):  # a few ids may have no trade
            if from_id is None:
                ids = range(max(bounds.start, bounds.stop - count), bounds.stop)
                is_all, cut = ids.start == bounds.start, newest
            else:
                first = max(bounds.start, from_id)
                ids = range(first, min(first + count, bounds.stop))
                is_all, cut = ids.stop >= bounds.stop, oldest
            rows = await self._hot.trades(symbol, ids.start, ids.stop, form)
            if is_all or sum(map(len, rows)) >= limit:
                return cut(rows, limit)
        return None

    async def trades_table(
        self, wanted: Selection, limit: int, table: Table
    ) -> tuple[AsyncIterator[bytes], int | None]:
        """The same page as a table in pieces."""
        trades = self._store.trades
        last_id = None
        if wanted.has_beginning:
            last_id = await trades.last_id_of_page(wanted, limit)
            wanted = replace(wanted, to_id=last_id)
        else:
            wanted = await trades.latest_selection(wanted.symbol, limit, wanted.end_time)
        return await self._store.pages.trades_table(wanted, table), _after(last_id)

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
