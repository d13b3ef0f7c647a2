"""All symbols in short: every one at first, then each second those that have changed."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final, Literal

from asyncapi_server import First, Hub, Update
from generated.native.encoders import LiveTickerJson, array
from handlers.native import messages
from handlers.native.updates import UPDATE_SECONDS
from ingest.core.errors import NotReady, StoreUnavailable
from ingest.pipeline.provider import Provider

TICKERS: Final = "tickers"
"""The one topic."""
AllSymbols = Literal["tickers"]


class LiveTickers:
    """The source of the topic of all symbols."""

    def __init__(self, provider: Provider, hub: Hub) -> None:
        self._provider = provider
        self._hub = hub
        self._published: dict[str, LiveTickerJson] = {}
        """The text of each symbol, as subscribers have it; empty while there are none."""

    def open(self, topic: AllSymbols) -> None:
        """Publish from now on: `run` looks for subscribers."""

    def close(self, topic: AllSymbols) -> None:  # noqa: ARG002
        """Publish no longer."""
        self._published = {}

    async def first(self, topic: AllSymbols, size: int) -> First | None:  # noqa: ARG002
        """Every symbol, as those who subscribed before have it."""
        if not self._published:
            await self._refresh()
            self._published = self._published or self._texts()
        tickers = array(self._published.values()).encode()
        return First(messages.initial_tickers(self._now_ms(), tickers))

    async def run(self) -> None:
        """Publish each second, in step, what has changed; until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            if self._hub.subscribers(TICKERS):
                await self._refresh()
            if self._hub.subscribers(TICKERS):
                self._hub.publish(self._changes())
            due = max(due + UPDATE_SECONDS, loop.time())
            await asyncio.sleep(due - loop.time())

    async def _refresh(self) -> None:
        """Have the sums anew; those of a store that is away are not shown."""
        with suppress(StoreUnavailable):
            await self._provider.days.refresh()

    def _changes(self) -> list[Update]:
        before, self._published = self._published, self._texts()
        changed: dict[str, LiveTickerJson | None] = dict.fromkeys(before.keys() - self._published)
        changed |= {s: text for s, text in self._published.items() if before.get(s) != text}
        return [
            Update(TICKERS, messages.ticker_update(symbol, text), symbol)
            for symbol, text in changed.items()
        ]

    def _texts(self) -> dict[str, LiveTickerJson]:
        provider = self._provider
        feeds = sorted(provider.feeds.items())
        return {
            symbol: messages.live_ticker(
                feed,
                provider.listing.status(symbol),
                provider.days.total(feed),
                provider.downloads.of(symbol),
            )
            for symbol, feed in feeds
        }

    def _now_ms(self) -> int:
        try:
            return self._provider.clock.now_ms()
        except NotReady:  # the exchange has not answered yet
            return 0
