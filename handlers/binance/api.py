"""Binance's API, joined: its REST operations at the root."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from aiohttp.typedefs import Handler

from handlers.binance.errors import error_form
from handlers.binance.rest import General, Market
from ingest.pipeline.provider import Provider


class Binance:
    """The REST side; `run` has nothing to publish yet."""

    document = "binance.openapi.json"
    """The REST document, of those in `generated/`."""
    error_form = staticmethod(error_form)
    passes_unknown_parameters = False
    websockets: Mapping[str, Handler] = {}

    def __init__(self, provider: Provider, requests_per_minute: int) -> None:
        """`requests_per_minute` are those that one address may make."""
        general = General(provider, requests_per_minute)
        self.operations: tuple[object, ...] = (general, Market(provider.view))
        """Objects with a method for each operation of the REST document."""

    async def run(self) -> None:
        """Wait until cancelled."""
        await asyncio.Event().wait()

    async def close(self, code: int, reason: str) -> None:
        """Close every connection: there is none."""
