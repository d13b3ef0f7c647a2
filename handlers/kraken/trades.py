"""The feed `trade`: each trade as it arrives."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from handlers.kraken import messages
from handlers.kraken.channels import Channel
from handlers.kraken.pairs import Pairs
from ingest.core.trade import Trade
from ingest.pipeline.feed import Feed
from ingest.pipeline.provider import Provider
from wsrouter import Hub, Update

FEED = "trade"
MAX_TRADES = 1000
"""Trades in one message."""


class Trades:
    """Passes on what the feeds hear.

    Taking trades in must not wait for it, so they are written when the event loop comes round.
    """

    def __init__(self, provider: Provider, pairs: Pairs, hub: Hub) -> None:
        self._provider = provider
        self._pairs = pairs
        self._hub = hub
        self._heard: defaultdict[str, list[Trade]] = defaultdict(list)

    def open(self, channel: Channel) -> None:
        """Begin to listen."""
        self._provider.feed(channel.symbol).listeners.append(self._hear)

    def close(self, channel: Channel) -> None:
        """Listen no longer."""
        self._provider.feed(channel.symbol).listeners.remove(self._hear)

    async def first(self, channel: Channel) -> bytes | None:  # noqa: ARG002
        """Nothing: the feed begins with the next trade."""
        return None

    def _hear(self, feed: Feed, trades: Sequence[Trade]) -> None:
        if not self._heard:
            asyncio.get_running_loop().call_soon(self._publish)
        self._heard[feed.symbol] += trades

    def _publish(self) -> None:
        heard, self._heard = self._heard, defaultdict(list)
        self._hub.publish(
            update for symbol, trades in heard.items() for update in self._updates(symbol, trades)
        )

    def _updates(self, symbol: str, trades: Sequence[Trade]) -> list[Update]:
        real = [trade for trade in trades if not trade.is_tombstone]
        pair, channel = self._pairs.of(symbol), Channel(FEED, symbol)
        number = self._pairs.number(symbol) + channel.offset
        updates = []
        for start in range(0, len(real), MAX_TRADES):
            batch = real[start : start + MAX_TRADES]
            payload = messages.trades(channel, number, pair, batch)
            # The key is of this message alone: one that waits for a slow client is not replaced.
            updates.append(Update(channel, payload, batch[-1].aggregate_id))
        return updates
