"""A client that listens in the background for as long as a test goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from tests.e2e.client import Client


@asynccontextmanager
async def listening(
    url: str, symbols: Sequence[str], timeframes: Sequence[int], candles: int = 0
) -> AsyncIterator[Client]:
    """A subscribed client that receives in the background."""
    async with Client.connect(url) as client:
        for symbol in symbols:
            await client.subscribe(symbol, timeframes, candles)
        task = asyncio.create_task(_listen(client))
        try:
            yield client
        finally:
            task.cancel()
            await asyncio.wait({task})


async def _listen(client: Client) -> None:
    while True:
        await client.receive(600)
