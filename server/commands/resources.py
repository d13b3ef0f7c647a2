"""Helpers that commands share: the exchange's REST client, and a check of the symbols."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from ingest.binance.rest import BinanceRest
from ingest.binance.weight import WeightCoordinator
from ingest.core.errors import SettingError
from ingest.core.symbol import Symbols
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


async def listed_symbols(rest: BinanceRest, chosen: Symbols) -> tuple[str, ...]:
    """The chosen symbols that the exchange has; fetches the weight limit too.

    Raises SettingError for names that it does not have, and where there are none.
    """
    matching: list[str] = []
    if chosen.patterns:
        matching = sorted((await rest.whole_exchange_info(chosen.__contains__)).symbols)
    symbols = tuple(dict.fromkeys((*chosen.names, *matching)))
    info = await rest.exchange_info(list(chosen.names))
    unknown = [symbol for symbol in chosen.names if symbol not in info.symbols]
    if unknown or not symbols:
        names = ", ".join(unknown) or str(chosen)
        raise SettingError(f"The exchange has no symbol {names}: correct the symbols")
    return symbols


def moment(time_ms: int) -> str:
    """Format a time in milliseconds, in UTC."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
