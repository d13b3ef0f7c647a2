"""The symbols that are followed, as `exchangeInfo` describes them."""

from __future__ import annotations

from generated.binance.models import LotSize, PriceFilter, SymbolInfo
from handlers.binance.rest.names import names_of
from handlers.problem import InvalidParameter
from ingest.binance import answers
from ingest.core.errors import NotReady
from ingest.core.fixed import DECIMALS, MAX_FIXED, eight_places
from ingest.pipeline.provider import Provider

SPOT = "SPOT"
ORDER_TYPES = ["LIMIT", "LIMIT_MAKER", "MARKET"]
TRADING = "TRADING"


class Listing:
    """Describes the followed symbols that the exchange has."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def symbols(
        self, symbol: str | None, symbols: str | None, status: str | None, *, permissions: bool
    ) -> list[SymbolInfo]:
        """The symbols of a request. Raises InvalidParameter, UnknownSymbol and NotReady."""
        named = names_of(symbol, symbols)
        if named is not None and status is not None:
            raise InvalidParameter("query.symbolStatus", "must not come with symbol or symbols")
        markets = self._provider.listing.markets
        if not markets:
            raise NotReady("The exchange has not listed the symbols yet; try again")
        if status is not None:
            names = [name for name, market in markets.items() if market.status == status]
        elif named is not None:
            names = named
            for name in names:
                self._provider.view.feed(name)
        else:
            names = [name for name in self._provider.view.symbols if name in markets]
        found = (markets[name] for name in names if name in markets)
        return [_info(market, permissions=permissions) for market in found]


def _info(market: answers.SymbolInfo, *, permissions: bool) -> SymbolInfo:
    tick = eight_places(10 ** (DECIMALS - market.price_decimals))
    step, most = eight_places(1), eight_places(MAX_FIXED)
    return SymbolInfo(
        symbol=market.symbol,
        status=market.status,
        baseAsset=market.base_asset,
        baseAssetPrecision=8,
        quoteAsset=market.quote_asset,
        quotePrecision=8,
        quoteAssetPrecision=8,
        baseCommissionPrecision=8,
        quoteCommissionPrecision=8,
        orderTypes=ORDER_TYPES,
        icebergAllowed=False,
        ocoAllowed=False,
        otoAllowed=False,
        quoteOrderQtyMarketAllowed=False,
        allowTrailingStop=False,
        cancelReplaceAllowed=False,
        isSpotTradingAllowed=market.status == TRADING,
        isMarginTradingAllowed=False,
        filters=[
            PriceFilter(filterType="PRICE_FILTER", minPrice=tick, maxPrice=most, tickSize=tick),
            LotSize(filterType="LOT_SIZE", minQty=step, maxQty=most, stepSize=step),
        ],
        permissions=[],
        permissionSets=[[SPOT]] if permissions else [],
        defaultSelfTradePreventionMode="NONE",
        allowedSelfTradePreventionModes=["NONE"],
    )
