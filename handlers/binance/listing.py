"""The symbols that are followed, as `exchangeInfo` describes them."""

from __future__ import annotations

import msgspec

from generated.binance.models import LotSize, PriceFilter, SymbolInfo
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
        given = [name for name in (symbol, symbols, status) if name is not None]
        if len(given) > 1:
            field = "query.symbols" if symbols is not None else "query.symbolStatus"
            raise InvalidParameter(field, "send one of symbol, symbols and symbolStatus")
        markets = self._provider.listing.markets
        if not markets:
            raise NotReady("The exchange has not listed the symbols yet; try again")
        if status is not None:
            names = [name for name, market in markets.items() if market.status == status]
        elif symbol is not None or symbols is not None:
            names = [symbol] if symbol is not None else _names(symbols or "")
            for name in names:
                self._provider.view.feed(name)
        else:
            names = [name for name in self._provider.view.symbols if name in markets]
        found = (markets[name] for name in names if name in markets)
        return [_info(market, permissions=permissions) for market in found]


def _names(text: str) -> list[str]:
    try:
        names = msgspec.json.decode(text, type=list[str])
    except (ValueError, RecursionError):
        names = []
    if not names:
        raise InvalidParameter("query.symbols", 'send an array such as ["BTCUSDT","ETHUSDT"]')
    return list(dict.fromkeys(names))


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
