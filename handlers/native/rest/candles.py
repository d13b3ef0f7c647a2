"""Candles of any minute timeframe, made of the trades."""

from __future__ import annotations

from generated.native import encoders
from generated.native.facts import DataQuality
from generated.native.rest import CandlesHandlers
from generated.reply import JSON, Raw
from handlers.native import forms
from handlers.native.messages import data_status
from handlers.native.rest import caching
from handlers.native.rest.envelope import table, table_of
from handlers.native.rest.instants import span_of
from ingest.binance.now import host_ms
from ingest.core.paging import Bounds
from ingest.core.timeframe import label
from ingest.pipeline.pair import Pair
from ingest.pipeline.view import MarketView


class Candles(CandlesHandlers):
    """`/data/candles`: rows as they are kept, and live ones."""

    def __init__(self, view: MarketView) -> None:
        self._view = view

    async def get_candles(
        self,
        symbol: str,
        *,
        timeframe: int,
        start_time: int | str | None = None,
        end_time: int | str | None = None,
        limit: int,
        cursor: int | None = None,
        decimals: str,
        media_type: str,
    ) -> Raw:
        """Candles of a symbol: from a time on, or else the newest."""
        self._view.feed(symbol)
        start_ms, end_ms = span_of(start_time, end_time)
        pair, bounds = Pair(symbol, timeframe), Bounds(start_ms, end_ms, cursor)
        if media_type == JSON:
            page = await self._view.page(pair, limit, bounds, forms.CANDLES)
            message = f"Retrieved {page.count} candles for {symbol}"
            if page.status.quality is not DataQuality.COMPLETE:
                message = f"{symbol} is {page.status.quality}; candles are sent when it is complete"
            data = forms.history_candles(page.closed, page.live)
            return Raw(
                encoders.candle_list_envelope(
                    message=message,
                    timestamp=host_ms(),
                    data=data,
                    timeframe=label(timeframe),
                    data_status=data_status(page.status),
                    next_cursor=page.next_cursor,
                ),
                headers=caching.of(page.ended_ms, data, page.next_cursor),
            )
        wanted = table_of(media_type, decimals)
        found = await self._view.page_table(pair, limit, bounds, wanted)
        quality = found.status.quality.value
        return await table(
            media_type, found.pieces, found.next_cursor, found.ended_ms, Data_Quality=quality
        )
