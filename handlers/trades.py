"""Aggregate trades as the exchange made them."""

from __future__ import annotations

from dataclasses import replace

from generated.rest import JSON, Raw, TradesHandlers
from handlers.parts import Parts
from handlers.rows import as_table, check_times, in_envelope
from ingest.storage import Selection, TradePage


class Trades(TradesHandlers):
    """`/data/trades`: rows that the database has formatted."""

    def __init__(self, parts: Parts) -> None:
        self._provider = parts.provider
        self._store = parts.provider.store

    async def get_trades(
        self,
        symbol: str,
        *,
        start_time: int | None = None,
        end_time: int | None = None,
        limit: int = 1000,
        from_id: int | None = None,
        cursor: int | None = None,
        media_type: str = JSON,
    ) -> Raw:
        """Trades of a symbol: from an id or a time on, or else the newest."""
        self._provider.feed(symbol)
        check_times(start_time, end_time)
        if cursor is not None:
            from_id = max(cursor, from_id or 0)
        wanted = Selection(symbol, start_time, end_time, from_id)
        if media_type != JSON:
            return await self._table(wanted, limit, media_type)
        trades, run = self._store.trades, self._store.run
        if wanted.has_beginning:
            page = await run(trades.page, wanted, limit)
            return _reply(symbol, page, _after(page.last_id) if page.count == limit else None)
        return _reply(symbol, await run(trades.latest, symbol, limit, end_time=end_time), None)

    async def get_latest_trades(
        self, symbol: str, *, limit: int = 100, media_type: str = JSON
    ) -> Raw:
        """Newest trades of a symbol."""
        return await self.get_trades(symbol, limit=limit, media_type=media_type)

    async def _table(self, wanted: Selection, limit: int, media_type: str) -> Raw:
        trades, run = self._store.trades, self._store.run
        last_id = None
        if wanted.has_beginning:
            last_id = await run(trades.last_id_of_page, wanted, limit)
            wanted = replace(wanted, to_id=last_id)
        else:
            wanted = await run(trades.latest_selection, wanted.symbol, limit, wanted.end_time)
        return await as_table(
            media_type, _after(last_id), lambda fmt: self._store.pages.trades_table(wanted, fmt)
        )


def _reply(symbol: str, page: TradePage, next_cursor: int | None) -> Raw:
    return in_envelope(page.body, f"Retrieved {page.count} trades for {symbol}", next_cursor)


def _after(last_id: int | None) -> int | None:
    return None if last_id is None else last_id + 1
