"""The feed `ohlc`: candles of the intervals that Kraken has."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from asyncapi_server import First, Hub, Update
from handlers.kraken import messages
from handlers.kraken.channels import Channel
from handlers.kraken.pairs import Pairs
from ingest.core.candle import Candle
from ingest.core.timeframe import MINUTE_MS
from ingest.core.trade import Trade
from ingest.pipeline.pair import Pair
from ingest.pipeline.view import MarketView
from ingest.pipeline.watches import Follower

LATEST = 10
"""Newest candles that are looked at for one with trades before the store is searched."""
PUBLISH_SECONDS = 0.1
"""A trade is in a message this long after it came, or at the end of its minute."""


class Candles:
    """Publishes the candles that change; `tick` has to be called once a second.

    A trade publishes the candles of its symbol by itself. The tick adds those that begin without a
    trade, and those that are corrected.
    """

    def __init__(self, view: MarketView, pairs: Pairs, hub: Hub) -> None:
        self._view = view
        self._pairs = pairs
        self._hub = hub
        self._followers: dict[Channel, Follower] = {}
        self._due: dict[str, asyncio.TimerHandle] = {}
        """The next publication of each symbol of which a trade has come."""

    def open(self, topic: Channel) -> None:
        """Follow a timeframe."""
        if not self._of(topic.symbol):
            self._view.listen(topic.symbol, self._heard)
        self._followers[topic] = self._view.follow(Pair(topic.symbol, topic.interval))

    def close(self, topic: Channel) -> None:
        """Follow it no longer."""
        self._followers.pop(topic).close()
        if not self._of(topic.symbol):
            self._view.ignore(topic.symbol, self._heard)

    async def first(self, topic: Channel, size: int) -> First | None:  # noqa: ARG002
        """The last candle that has trades, however old it is."""
        await self._followers[topic].ready()
        candle = await self._view.newest_traded(Pair(topic.symbol, topic.interval), LATEST)
        self._publish([topic])  # else the next message would repeat this one
        return None if candle is None else First(self._message(topic, candle))

    def tick(self) -> None:
        """Publish what has changed."""
        self._publish(list(self._followers))

    def _of(self, symbol: str) -> list[Channel]:
        return [channel for channel in self._followers if channel.symbol == symbol]

    def _heard(self, symbol: str, trades: Sequence[Trade]) -> None:
        if symbol not in self._due:
            rest = (MINUTE_MS - trades[-1].timestamp % MINUTE_MS) / 1000
            loop = asyncio.get_running_loop()
            delay = min(PUBLISH_SECONDS, rest)
            self._due[symbol] = loop.call_later(delay, self._publish_symbol, symbol)

    def _publish_symbol(self, symbol: str) -> None:
        del self._due[symbol]
        self._publish(self._of(symbol))

    def _publish(self, channels: Iterable[Channel]) -> None:
        self._hub.publish(
            Update(channel, self._message(channel, candle), candle.candle_time)
            for channel in channels
            if channel in self._followers
            for candle in self._followers[channel].changes()
        )

    def _message(self, channel: Channel, candle: Candle) -> bytes:
        pair, number = self._pairs.of(channel.symbol), self._pairs.channel_number(channel)
        return messages.ohlc(channel, number, pair, candle, self._view.newest_ms(channel.symbol))
