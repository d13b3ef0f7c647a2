"""The candles of the stream: the history of a subscription, and what changes each second."""

from __future__ import annotations

import asyncio

from asyncapi_server import First, Hub, Update
from generated.native.facts import DataQuality
from handlers.native import forms, messages
from ingest.core.durations import Durations
from ingest.pipeline.pair import Pair
from ingest.pipeline.view import MarketView
from ingest.pipeline.watches import Follower

UPDATE_SECONDS = 1.0
TICK_BOUNDS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


class Updates:
    """The source of every pair that somebody is subscribed to."""

    def __init__(self, view: MarketView, hub: Hub) -> None:
        self._view = view
        self._hub = hub
        self._followers: dict[Pair, Follower] = {}
        self.running = False
        self.ticks = Durations(TICK_BOUNDS_S)
        """How long it took to publish a second."""

    def open(self, topic: Pair) -> None:
        """Follow a pair."""
        self._followers[topic] = self._view.follow(topic, repeats_open=True)

    def close(self, topic: Pair) -> None:
        """Follow it no longer."""
        self._followers.pop(topic).close()

    async def first(self, topic: Pair, size: int) -> First | None:
        """The newest `size` candles; an empty history while the data is not complete."""
        await self._followers[topic].ready()
        if not size:
            return None
        history = await self._view.newest(topic, size, forms.CANDLES)
        payload = messages.initial_history(topic, size, history)
        return First(payload, is_provisional=history.status.quality is not DataQuality.COMPLETE)

    def pairs(self, symbol: str) -> list[Pair]:
        """The pairs of a symbol that somebody is subscribed to."""
        return [pair for pair in self._followers if pair.symbol == symbol]

    async def run(self) -> None:
        """Publish each second, in step: a late tick is not made up for by a burst."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        self.running = True
        try:
            while True:
                begun = loop.time()
                self._hub.publish(self._changes())
                self.ticks.note(loop.time() - begun)
                due = max(due + UPDATE_SECONDS, loop.time())
                await asyncio.sleep(due - loop.time())
        finally:
            self.running = False

    def _changes(self) -> list[Update]:
        """One message for each candle that has changed, or for each pair that is not complete."""
        updates: list[Update] = []
        for pair, follower in self._followers.items():
            if not follower.is_ready:
                continue
            status = follower.status
            if status.quality is not DataQuality.COMPLETE:
                updates.append(Update(pair, messages.ohlcv_update(pair, None, status), None))
                continue
            for candle in follower.changes():
                payload = messages.ohlcv_update(pair, candle, status)
                updates.append(Update(pair, payload, candle.candle_time))
        return updates
