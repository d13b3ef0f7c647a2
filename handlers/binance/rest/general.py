"""The REST operations of Binance's API."""

from __future__ import annotations

from generated.binance.models import ExchangeInfo, FuturesInfo, Nothing, RateLimit, ServerTime
from generated.binance.rest import GeneralHandlers
from handlers.binance.rest.listing import Listing
from ingest.binance.clock import ExchangeClock
from ingest.pipeline.provider import Provider


class General(GeneralHandlers):
    """The exchange itself."""

    def __init__(self, provider: Provider, requests_per_minute: int) -> None:
        self._clock: ExchangeClock = provider.clock
        self._listing = Listing(provider)
        self._requests_per_minute = requests_per_minute

    async def ping(self) -> Nothing:
        """An empty answer."""
        return Nothing()

    async def get_time(self) -> ServerTime:
        """The time of the exchange, which candles go by."""
        return ServerTime(serverTime=self._clock.now_ms())

    async def get_exchange_info(
        self,
        *,
        symbol: str | None = None,
        symbols: str | None = None,
        symbol_status: str | None = None,
        permissions: str | None = None,  # noqa: ARG002
        show_permission_sets: bool,
    ) -> ExchangeInfo:
        """The followed symbols, one of them, some, or those of a status."""
        found = self._listing.symbols(
            symbol, symbols, symbol_status, permissions=show_permission_sets
        )
        limit = RateLimit(
            rateLimitType="REQUEST_WEIGHT",
            interval="MINUTE",
            intervalNum=1,
            limit=self._requests_per_minute,
        )
        return ExchangeInfo(
            timezone="UTC",
            serverTime=self._clock.now_ms(),
            rateLimits=[limit],
            exchangeFilters=[],
            symbols=found,
        )

    async def get_usd_futures_info(self) -> FuturesInfo:
        """No futures."""
        return FuturesInfo(
            timezone="UTC",
            serverTime=self._clock.now_ms(),
            rateLimits=[],
            exchangeFilters=[],
            symbols=[],
        )

    async def get_coin_futures_info(self) -> FuturesInfo:
        """None of these either."""
        return await self.get_usd_futures_info()
