"""Candles and trades."""

from __future__ import annotations

from generated.binance import facts
from generated.binance.rest import MarketHandlers
from generated.reply import Raw
from handlers.binance.intervals import interval_of
from handlers.binance.rest.klines import klines, second_klines
from handlers.binance.rest.trades import FORM
from handlers.problem import InvalidParameter
from ingest.core.rows import array_of
from ingest.pipeline.view import MarketView
from ingest.storage import Selection


class Market(MarketHandlers):
    """`klines`, `uiKlines` and `aggTrades`."""

    def __init__(self, view: MarketView) -> None:
        self._view = view

    async def get_klines(
        self,
        *,
        symbol: str,
        interval: str,
        start_time: int | None = None,
        end_time: int | None = None,
        time_zone: str,
        limit: int,
    ) -> Raw:
        """Candles from a time on, or else the newest ones."""
        self._view.feed(symbol)
        _check_times(start_time, end_time)
        most = min(limit, facts.LIMIT_MOST)
        if interval == facts.INTERVAL_SECOND:
            return Raw(await second_klines(self._view, symbol, most, start_time, end_time))
        wanted = interval_of(interval, time_zone)
        return Raw(await klines(self._view, symbol, wanted, most, start_time, end_time))

    async def get_ui_klines(
        self,
        *,
        symbol: str,
        interval: str,
        start_time: int | None = None,
        end_time: int | None = None,
        time_zone: str,
        limit: int,
    ) -> Raw:
        """The same."""
        return await self.get_klines(
            symbol=symbol,
            interval=interval,
            start_time=start_time,
            end_time=end_time,
            time_zone=time_zone,
            limit=limit,
        )

    async def get_agg_trades(
        self,
        *,
        symbol: str,
        from_id: int | None = None,
        start_time: int | None = None,
        end_time: int | None = None,
        limit: int,
    ) -> Raw:
        """Trades from an id or a time on, or else the newest ones."""
        self._view.feed(symbol)
        _check_times(start_time, end_time)
        if from_id is not None and (start_time is not None or end_time is not None):
            raise InvalidParameter("query.fromId", "must not come with a time")
        wanted = Selection(symbol, start_time, end_time, from_id)
        rows = await self._view.trades(wanted, min(limit, facts.LIMIT_MOST), FORM)
        return Raw(array_of(each.text for each in rows))


def _check_times(start_time: int | None, end_time: int | None) -> None:
    if start_time is not None and end_time is not None and start_time > end_time:
        raise InvalidParameter("query.startTime", "must not be after endTime")
