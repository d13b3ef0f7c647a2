"""Helpers that commands share: the exchange's REST client, and a check of the symbols."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from ingest.binance.rest import BinanceRest
from ingest.binance.weight import WeightCoordinator
from ingest.core.errors import SettingError
from server.settings import SIMULATOR, Settings


@asynccontextmanager
async def opened_exchange(settings: Settings) -> AsyncIterator[BinanceRest]:
    """Open a REST client of the exchange that respects its request weight."""
    if settings.feed == SIMULATOR and not settings.rest_url:
        raise SettingError(
            "This command asks an exchange: set CANDLECAST_FEED=binance for the real one, or "
            "CANDLECAST_REST_URL to the address of a simulator that runs"
        )
    async with BinanceRest(settings.feed_rest_url, WeightCoordinator()) as rest:
        yield rest


async def check_symbols(rest: BinanceRest, symbols: tuple[str, ...]) -> None:
    """Fetch the symbols and the weight limit; raises SettingError for unknown symbols."""
    info = await rest.exchange_info(list(symbols))
    unknown = [symbol for symbol in symbols if symbol not in info.symbols]
    if unknown:
        raise SettingError(f"The exchange has no symbol {', '.join(unknown)}: correct the symbols")


def moment(time_ms: int) -> str:
    """Format a time in milliseconds, in UTC."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
