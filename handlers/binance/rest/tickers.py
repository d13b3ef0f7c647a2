"""Prices and quotes now, and figures of the latest 24 hours."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pydantic import BaseModel

from asyncapi_server import encode
from generated.binance.facts import TickerType
from generated.binance.models import AveragePrice, DayRow, MiniRow, PriceRow, QuoteRow
from generated.binance.rest import TickersHandlers
from generated.native.facts import DataQuality
from generated.reply import Raw
from handlers.binance.decimals import percent, quote_volume
from handlers.binance.rest.names import names_of
from ingest.binance.quotes import Quote
from ingest.core.errors import NotReady
from ingest.core.fixed import eight_places
from ingest.core.interval import DAY
from ingest.pipeline.day import Figures, Recent
from ingest.pipeline.quotes import Quotes
from ingest.pipeline.view import MarketView, not_complete

AVERAGE_MINUTES = 5
WINDOWS_KEPT = 10_000
"""Windows of minutes that are kept for the next question."""


class Tickers(TickersHandlers):
    """`avgPrice` and the three tickers."""

    def __init__(self, view: MarketView, quotes: Quotes) -> None:
        self._view = view
        self._quotes = quotes
        self._recent: dict[tuple[str, int], Recent] = {}

    async def get_average_price(self, *, symbol: str) -> AveragePrice:
        """The price of the latest minutes, weighted by volume."""
        figures = await self._figures(symbol, AVERAGE_MINUTES)
        return AveragePrice(
            mins=AVERAGE_MINUTES,
            price=eight_places(figures.average),
            closeTime=figures.last.timestamp,
        )

    async def get_day_tickers(
        self,
        *,
        symbol: str | None = None,
        symbols: str | None = None,
        type: str,  # noqa: A002  # the parameter's name
    ) -> Raw:
        """The figures of one symbol, some, or all that have them."""
        figures = {}
        for name in self._names(symbol, symbols):
            try:
                figures[name] = await self._figures(name, DAY)
            except NotReady:
                if symbol is not None or symbols is not None:
                    raise
        rows: list[BaseModel]
        if type == TickerType.MINI:
            rows = [MiniRow.model_validate(_mini(*each)) for each in figures.items()]
        else:
            quotes = await self._quotes.ask_all(figures)
            shown = [name for name in figures if name in quotes]
            rows = [_full(name, figures[name], quotes[name]) for name in shown]
        return _answer(rows, symbol)

    async def get_prices(self, *, symbol: str | None = None, symbols: str | None = None) -> Raw:
        """The newest price of one symbol, some, or all that are complete."""
        lasts = [(name, self._view.last_trade(name)) for name in self._names(symbol, symbols)]
        rows = [
            PriceRow(symbol=name, price=eight_places(last.price)) for name, last in lasts if last
        ]
        return _answer(rows, symbol)

    async def get_quotes(self, *, symbol: str | None = None, symbols: str | None = None) -> Raw:
        """The quotes of one symbol, some, or all."""
        names = names_of(symbol, symbols)
        for name in names or ():
            self._view.feed(name)
        wanted = names or self._view.symbols
        quotes = await self._quotes.ask_all(wanted)
        return _answer([_quote(name, quotes[name]) for name in wanted if name in quotes], symbol)

    def _names(self, symbol: str | None, symbols: str | None) -> Collection[str]:
        """The symbols of a request, all of them complete; raises UnknownSymbol and NotReady."""
        named = names_of(symbol, symbols)
        view = self._view
        if named is None:
            return [name for name in view.symbols if _is_complete(view, name)]
        for name in named:
            if not _is_complete(view, name):
                raise not_complete(view.feed(name))
        return named

    async def _figures(self, symbol: str, minutes: int) -> Figures:
        key = symbol, minutes
        if key not in self._recent:
            recent = Recent(self._view, symbol, minutes)  # raises before it is kept
            if len(self._recent) >= WINDOWS_KEPT:
                self._recent.clear()
            self._recent[key] = recent
        return await self._recent[key].figures()


def _is_complete(view: MarketView, symbol: str) -> bool:
    return view.status(symbol).quality is DataQuality.COMPLETE


def _answer(rows: Sequence[BaseModel], symbol: str | None) -> Raw:
    """All rows, or the one of the symbol that was named."""
    if not rows:
        raise NotReady("No symbol can be shown yet; ask for one of them, and the answer says why")
    plain = [row.model_dump() for row in rows]
    return Raw(encode(plain if symbol is None else plain[0]))


def _mini(symbol: str, figures: Figures) -> dict[str, object]:
    total = figures.total
    return {
        "symbol": symbol,
        "openPrice": eight_places(total.open),
        "highPrice": eight_places(total.high),
        "lowPrice": eight_places(total.low),
        "lastPrice": eight_places(total.close),
        "volume": eight_places(total.volume),
        "quoteVolume": quote_volume(total.quote_volume),
        "openTime": total.candle_time,
        "closeTime": figures.end_ms,
        "firstId": total.first_raw_id,
        "lastId": total.last_raw_id,
        "count": total.trades_count,
    }


def _full(symbol: str, figures: Figures, quote: Quote) -> DayRow:
    change = {
        "priceChange": eight_places(figures.change),
        "priceChangePercent": percent(figures.change, figures.total.open),
        "weightedAvgPrice": eight_places(figures.average),
        "prevClosePrice": eight_places(figures.previous_close),
        "lastQty": eight_places(figures.last.quantity),
    }
    quoted = _quote(symbol, quote).model_dump()
    return DayRow.model_validate({**_mini(symbol, figures), **change, **quoted})


def _quote(symbol: str, quote: Quote) -> QuoteRow:
    return QuoteRow(
        symbol=symbol,
        bidPrice=eight_places(quote.bid),
        bidQty=eight_places(quote.bid_quantity),
        askPrice=eight_places(quote.ask),
        askQty=eight_places(quote.ask_quantity),
    )
