"""The REST operations of the Universal Data Feed."""

from __future__ import annotations

from asyncapi_server import encode
from generated.reply import Raw
from generated.udf import facts
from generated.udf.models import (
    Config,
    ExchangeChoice,
    NoData,
    SymbolInfo,
    TypeChoice,
    Widget,
    WidgetData,
    Widgets,
    WidgetSize,
)
from generated.udf.rest import BarsHandlers, FeedHandlers
from handlers.udf.bars import SECOND_MS, history
from handlers.udf.resolutions import interval_of
from handlers.udf.symbols import EXCHANGE, TYPE, Symbols, symbol_of
from ingest.pipeline.provider import Provider

WIDGET_UPDATE_SECONDS = 10
CONFIG = Config(
    supports_search=True,
    supports_group_request=False,
    supports_marks=False,
    supports_timescale_marks=False,
    supports_time=True,
    supported_resolutions=facts.RESOLUTION_LIST_OFFERED,
    exchanges=[
        ExchangeChoice(value="", name="All exchanges", desc=""),
        ExchangeChoice(value=EXCHANGE, name="Binance", desc="Binance"),
    ],
    symbols_types=[
        TypeChoice(name="All types", value=""),
        TypeChoice(name="Crypto", value=TYPE),
    ],
)


class Feed(FeedHandlers):
    """The feed itself, and its symbols."""

    def __init__(self, provider: Provider) -> None:
        self._symbols = Symbols(provider)

    async def get_config(self) -> Config:
        """The questions and resolutions that are served."""
        return CONFIG

    async def get_symbol(self, *, symbol: str) -> SymbolInfo:
        """A followed symbol."""
        return self._symbols.info(symbol)

    async def search_symbols(self, *, query: str, type: str, exchange: str, limit: int) -> Raw:  # noqa: A002
        """Symbols by a part of their names."""
        found = self._symbols.search(query, type, exchange, limit)
        return Raw(encode([result.model_dump() for result in found]))

    async def get_widgets(self) -> Widgets:
        """One widget, which draws the first symbol."""
        widget = Widget(
            name="Candlecast",
            description="Exact candles of any number of minutes",
            category="Crypto",
            type="advanced_charting",
            endpoint="/udf",
            gridData=WidgetSize(w=40, h=20),
            data=WidgetData(
                defaultSymbol=self._symbols.first, updateFrequency=WIDGET_UPDATE_SECONDS * SECOND_MS
            ),
        )
        return Widgets(candlecast_chart=widget)


class Bars(BarsHandlers):
    """Bars and the time."""

    def __init__(self, provider: Provider) -> None:
        self._view = provider.view
        self._clock = provider.clock

    async def get_history(
        self,
        *,
        symbol: str,
        resolution: str,
        from_: int | None = None,
        to: int,
        countback: int | None = None,
    ) -> Raw | NoData:
        """The newest bars before a time: a number of them, or those from another time on."""
        name, interval = symbol_of(symbol), interval_of(resolution)
        return await history(self._view, name, interval, from_, to, countback)

    async def get_time(self) -> Raw:
        """The time of the exchange, which bars go by."""
        return Raw(str(self._clock.now_ms() // SECOND_MS).encode(), "text/plain")
