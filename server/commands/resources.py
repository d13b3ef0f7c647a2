"""What commands work on: the exchange, opened and closed again, and the symbols that it has."""

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
    """The exchange's REST interface, with the request weight that it allows."""
    if settings.feed == SIMULATOR and not settings.rest_url:
        raise SettingError(
            "This command asks an exchange: set CANDLECAST_FEED=binance for the real one, or "
            "CANDLECAST_REST_URL to the address of a simulator that runs"
        )
    async with BinanceRest(settings.feed_rest_url, WeightCoordinator()) as rest:
        yield rest


async def check_symbols(rest: BinanceRest, symbols: tuple[str, ...]) -> None:
    """Ask the exchange for the symbols, and for the request weight that it allows."""
    info = await rest.exchange_info(list(symbols))
    unknown = [symbol for symbol in symbols if symbol not in info.symbols]
    if unknown:
        raise SettingError(f"The exchange has no symbol {', '.join(unknown)}: correct the symbols")


def moment(time_ms: int) -> str:
    """A time as people read it, in UTC."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
