"""The exchange, as commands ask it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ingest.binance.rest import BinanceRest
from ingest.binance.weight import WeightCoordinator
from ingest.core.errors import SettingError
from server.settings import SIMULATOR, Settings


@asynccontextmanager
async def opened_exchange(settings: Settings, *, is_asked: bool) -> AsyncIterator[BinanceRest]:
    """Open a REST client of the exchange that respects its request weight.

    Raises SettingError where it is to be asked and there is none.
    """
    if is_asked and settings.feed == SIMULATOR and not settings.rest_url:
        raise SettingError(
            "This command asks an exchange: set CANDLECAST_FEED=binance for the real one, or "
            "CANDLECAST_REST_URL to the address of a simulator that runs"
        )
    async with BinanceRest(settings.feed_rest_url, WeightCoordinator()) as rest:
        yield rest
