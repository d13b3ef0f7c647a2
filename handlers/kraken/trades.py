"""The feed `trade`: each trade as it arrives."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from asyncapi_server import First, Hub, Update
from generated.kraken.facts import TRADES_MAX_ITEMS, MarketFeed
from handlers.kraken import messages
from handlers.kraken.channels import Channel
from handlers.kraken.pairs import Pairs
from ingest.core.trade import Trade
from ingest.pipeline.view import MarketView

FEED = MarketFeed.TRADE


class Trades:
    """Publishes each trade that comes over the stream.

    Taking trades in must not wait for it, so they are published when the event loop comes round.
    """

    def __init__(self, view: MarketView, pairs: Pairs, hub: Hub) -> None:
        self._view = view
        self._pairs = pairs
        self._hub = hub
        self._heard: defaultdict[str, list[Trade]] = defaultdict(list)

    def open(self, topic: Channel) -> None:
        """Listen to a symbol."""
        self._view.listen(topic.symbol, self._hear)

    def close(self, topic: Channel) -> None:
        """Listen no longer."""
        self._view.ignore(topic.symbol, self._hear)

    async def first(self, topic: Channel, size: int) -> First | None:  # noqa: ARG002
        """None: the feed begins with the next trade."""
        return None

    def _hear(self, symbol: str, trades: Sequence[Trade]) -> None:
        if not self._heard:
            asyncio.get_running_loop().call_soon(self._publish)
        self._heard[symbol] += trades

    def _publish(self) -> None:
        heard, self._heard = self._heard, defaultdict(list)
        self._hub.publish(
            update for symbol, trades in heard.items() for update in self._updates(symbol, trades)
        )

    def _updates(self, symbol: str, trades: Sequence[Trade]) -> list[Update]:
        real = [trade for trade in trades if not trade.is_tombstone]
        pair, channel = self._pairs.of(symbol), Channel(FEED, symbol)
        number = self._pairs.channel_number(channel)
        updates = []
        for start in range(0, len(real), TRADES_MAX_ITEMS):
            batch = real[start : start + TRADES_MAX_ITEMS]
            payload = messages.trade(number, pair, batch)
            # The key is of this message alone: one that waits for a slow client is not replaced.
            updates.append(Update(channel, payload, batch[-1].aggregate_id))
        return updates
