"""The symbols that are followed, as charts name and describe them."""

from __future__ import annotations

from typing import Final

from generated.udf import facts
from generated.udf.models import SearchResult, SymbolInfo
from ingest.core.fixed import DECIMALS
from ingest.pipeline.provider import Provider

EXCHANGE: Final = "BINANCE"
TYPE: Final = "crypto"
PREFIX = f"{EXCHANGE}:"


def symbol_of(name: str) -> str:
    """The symbol of a name such as `BTCUSDT` or `binance:btcusdt`."""
    return name.upper().removeprefix(PREFIX)


class Symbols:
    """Describes and finds the followed symbols."""

    def __init__(self, provider: Provider) -> None:
        self._view = provider.view
        self._markets = provider.listing.markets

    @property
    def first(self) -> str:
        """The first symbol of the settings."""
        return next(iter(self._view.symbols))

    def info(self, name: str) -> SymbolInfo:
        """The description of a symbol for a chart. Raises UnknownSymbol."""
        symbol = symbol_of(name)
        self._view.feed(symbol)
        market = self._markets.get(symbol)
        return SymbolInfo(
            name=symbol,
            ticker=symbol,
            description=self._description(symbol),
            type=TYPE,
            session="24x7",
            timezone="Etc/UTC",
            exchange=EXCHANGE,
            listed_exchange=EXCHANGE,
            format="price",
            minmov=1,
            pricescale=10 ** (DECIMALS if market is None else market.price_decimals),
            has_intraday=True,
            has_daily=True,
            has_weekly_and_monthly=True,
            intraday_multipliers=[],
            daily_multipliers=facts.RESOLUTION_LIST_OFFERED_DAYS,
            weekly_multipliers=["1"],
            monthly_multipliers=["1"],
            supported_resolutions=facts.RESOLUTION_LIST_OFFERED,
            visible_plots_set="ohlcv",
            volume_precision=8,
            data_status="streaming",
        )

    def search(self, query: str, kind: str, exchange: str, limit: int) -> list[SearchResult]:
        """The symbols whose name has a text in it, those that begin with it first."""
        if kind not in ("", TYPE) or exchange not in ("", EXCHANGE):
            return []
        wanted = symbol_of(query)
        places = {symbol: self._place(symbol, wanted) for symbol in self._view.symbols}
        found = sorted((symbol for symbol in places if places[symbol] >= 0), key=places.__getitem__)
        return [self._result(symbol) for symbol in found[:limit]]

    def _place(self, symbol: str, text: str) -> int:
        """Where a text begins in the name or the description of a symbol; -1 for nowhere."""
        place = symbol.find(text)
        return place if place >= 0 else self._description(symbol).find(text)

    def _result(self, symbol: str) -> SearchResult:
        return SearchResult(
            symbol=symbol,
            full_name=PREFIX + symbol,
            description=self._description(symbol),
            exchange=EXCHANGE,
            ticker=symbol,
            type=TYPE,
        )

    def _description(self, symbol: str) -> str:
        market = self._markets.get(symbol)
        return symbol if market is None else f"{market.base_asset}/{market.quote_asset}"
