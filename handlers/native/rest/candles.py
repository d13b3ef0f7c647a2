"""Candles of any minute timeframe, made of the trades."""

from __future__ import annotations

from generated.native import encoders
from generated.native.facts import DataQuality
from generated.native.rest import CandlesHandlers
from generated.reply import JSON, Raw
from handlers.native.messages import data_status
from handlers.native.rest.envelope import FORMATS, check_times, table
from ingest.binance.now import host_ms
from ingest.core.errors import NotReady
from ingest.core.timeframe import label
from ingest.pipeline.pair import Pair
from ingest.pipeline.view import MarketView


class Candles(CandlesHandlers):
    """`/data/candles`: rows that the database has formatted, live ones among them."""

    def __init__(self, view: MarketView) -> None:
        self._view = view

    async def get_candles(
        self,
        symbol: str,
        *,
        timeframe: int,
        start_time: int | None = None,
        end_time: int | None = None,
        limit: int,
        cursor: int | None = None,
        media_type: str,
    ) -> Raw:
        """Candles of a symbol: from a time on, or else the newest."""
        self._view.feed(symbol)
        check_times(start_time, end_time)
        pair = Pair(symbol, timeframe)
        if media_type == JSON:
            page, body = await self._view.page_json(
                pair, limit, start_time=start_time, end_time=end_time, cursor=cursor
            )
            message = f"Retrieved {page.count} candles for {symbol}"
            if page.status.quality is not DataQuality.COMPLETE:
                message = f"{symbol} is {page.status.quality}; candles are sent when it is complete"
            return Raw(
                encoders.candle_list_envelope(
                    message=message,
                    timestamp=host_ms(),
                    data=body,
                    timeframe=label(timeframe),
                    data_status=data_status(page.status),
                    next_cursor=page.next_cursor,
                )
            )
        page = await self._view.page(
            pair, limit, start_time=start_time, end_time=end_time, cursor=cursor
        )
        quality = page.status.quality
        if quality is not DataQuality.COMPLETE:
            raise NotReady(f"{symbol} is {quality.value}; ask again when it is complete")
        pieces = await self._view.page_table(page, FORMATS[media_type])
        return table(media_type, pieces, page.next_cursor, Data_Quality=quality.value)
