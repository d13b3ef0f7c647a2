"""Candles of any minute timeframe, made of the trades."""

from __future__ import annotations

from generated.rest import JSON, CandlesHandlers, Raw
from handlers.messages import data_status
from handlers.parts import Parts
from handlers.rows import as_table, check_times, in_envelope
from ingest.core.errors import NotReady
from ingest.core.status import Quality
from ingest.core.timeframe import label
from ingest.pipeline.history import History


class Candles(CandlesHandlers):
    """`/data/candles`: rows that the database has formatted, live ones among them."""

    def __init__(self, parts: Parts) -> None:
        self._provider = parts.provider
        self._history = History(parts.provider.store, parts.provider.clock)

    async def get_candles(
        self,
        symbol: str,
        *,
        timeframe: int,
        start_time: int | None = None,
        end_time: int | None = None,
        limit: int = 500,
        cursor: int | None = None,
        media_type: str = JSON,
    ) -> Raw:
        """Candles of a symbol: from a time on, or else the newest."""
        feed, store = self._provider.feed(symbol), self._provider.store
        check_times(start_time, end_time)
        page = await self._history.page(
            feed, timeframe, limit, start_time=start_time, end_time=end_time, cursor=cursor
        )
        quality = page.status.quality
        if media_type == JSON:
            rows = await store.run(store.pages.candles_json, page.candles)
            said = f"Retrieved {page.count} candles for {symbol}"
            if quality is not Quality.COMPLETE:
                said = f"{symbol} is {quality.value}; candles are sent when it is complete"
            more = f'"timeframe":"{label(timeframe)}","data_status":{data_status(page.status)},'
            return in_envelope(rows, said, page.next_cursor, more)
        if quality is not Quality.COMPLETE:
            raise NotReady(f"{symbol} is {quality.value}; ask again when it is complete")
        return await as_table(
            media_type,
            page.next_cursor,
            lambda fmt: store.pages.candles_table(page.candles, fmt),
            Data_Quality=quality.value,
        )
