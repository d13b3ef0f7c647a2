"""Aggregate trades as the exchange made them."""

from __future__ import annotations

from generated.native import encoders
from generated.native.rest import TradesHandlers
from generated.reply import JSON, Raw
from handlers.native import forms
from handlers.native.rest import caching
from handlers.native.rest.envelope import table, table_of
from handlers.native.rest.instants import span_of
from ingest.binance.now import host_ms
from ingest.core.rows import array_of
from ingest.pipeline.view import MarketView
from ingest.storage import Selection


class Trades(TradesHandlers):
    """`/data/trades`: rows as they are kept."""

    def __init__(self, view: MarketView) -> None:
        self._view = view

    async def get_trades(
        self,
        symbol: str,
        *,
        start_time: int | str | None = None,
        end_time: int | str | None = None,
        limit: int,
        from_id: int | None = None,
        cursor: int | None = None,
        decimals: str,
        media_type: str,
    ) -> Raw:
        """Trades of a symbol: from an id or a time on, or else the newest."""
        self._view.feed(symbol)
        start_ms, end_ms = span_of(start_time, end_time)
        if cursor is not None:
            from_id = max(cursor, from_id or 0)
        stored = self._view.stored
        wanted = Selection(symbol, start_ms, end_ms, from_id)
        ended_ms = self._view.trades_ended_ms(wanted)
        if media_type != JSON:
            as_table = table_of(media_type, decimals)
            rows, next_cursor = await stored.trades_table(wanted, limit, as_table)
            return await table(media_type, rows, next_cursor, ended_ms)
        page, next_cursor = await stored.trades(wanted, limit, forms.TRADES)
        message = f"Retrieved {sum(map(len, page))} trades for {symbol}"
        data = array_of(rows.text for rows in page)
        return Raw(
            encoders.trade_list_envelope(
                message=message, timestamp=host_ms(), data=data, next_cursor=next_cursor
            ),
            headers=caching.of(ended_ms, data, next_cursor),
        )

    async def get_latest_trades(
        self, symbol: str, *, limit: int, decimals: str, media_type: str
    ) -> Raw:
        """Newest trades of a symbol."""
        return await self.get_trades(symbol, limit=limit, decimals=decimals, media_type=media_type)
