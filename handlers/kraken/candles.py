"""The feed `ohlc`: candles of the intervals that Kraken has."""

from __future__ import annotations

from collections.abc import Sequence

from asyncapi_server import First, Hub, Update
from generated.kraken.facts import MarketFeed
from handlers.kraken import messages
from handlers.kraken.channels import Channel
from handlers.kraken.pairs import Pairs
from ingest.core.candle import Candle
from ingest.pipeline.changes import Changes
from ingest.pipeline.pair import Pair
from ingest.pipeline.view import MarketView

FEED = MarketFeed.OHLC
LATEST = 10
"""Newest candles that are looked at for one with trades before the store is searched."""


class Candles:
    """Publishes the candles that change; `tick` has to be called once a second."""

    def __init__(self, view: MarketView, pairs: Pairs, hub: Hub) -> None:
        self._view = view
        self._pairs = pairs
        self._hub = hub
        self._changes = Changes(view, self._publish)
        self.tick = self._changes.tick

    def open(self, topic: Channel) -> None:
        """Follow a timeframe."""
        self._changes.open(_pair(topic))

    def close(self, topic: Channel) -> None:
        """Follow it no longer."""
        self._changes.close(_pair(topic))

    async def first(self, topic: Channel, size: int) -> First | None:  # noqa: ARG002
        """The last candle that has trades, however old it is."""
        pair = _pair(topic)
        await self._changes.ready(pair)
        candle = await self._view.newest_traded(pair, LATEST)
        self._changes.flush([pair])  # else the next message would repeat this one
        return None if candle is None else First(self._message(topic, candle))

    def _publish(self, pair: Pair, candles: Sequence[Candle]) -> None:
        channel = Channel(FEED, pair.symbol, pair.timeframe)
        self._hub.publish(
            Update(channel, self._message(channel, candle), candle.candle_time)
            for candle in candles
        )

    def _message(self, channel: Channel, candle: Candle) -> bytes:
        pair, number = self._pairs.of(channel.symbol), self._pairs.channel_number(channel)
        return messages.ohlc(channel, number, pair, candle, self._view.newest_ms(channel.symbol))


def _pair(channel: Channel) -> Pair:
    return Pair(channel.symbol, channel.interval)
