"""The clockwork of the stream: updates each second, heartbeats, and the end of idle connections."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from weakref import WeakKeyDictionary

from handlers import messages
from handlers.subscriptions import Subscriptions
from ingest.core.candle import Candle
from ingest.core.status import Quality
from ingest.pipeline.feed import Feed
from ingest.pipeline.pair import Pair
from ingest.pipeline.provider import Provider
from wsrouter import Connection, Endpoint, Fault, FaultKind, Hub, Update

UPDATE_SECONDS = 1.0
IDLE_CODE = 3008
"""The close code of a connection that was idle for too long: IANA's `Timeout`."""


class Broadcast:
    """Tells every subscriber, each second, what its candles look like."""

    def __init__(
        self,
        provider: Provider,
        hub: Hub,
        endpoint: Endpoint,
        subscriptions: Subscriptions,
        heartbeat_seconds: float,
        idle_seconds: float,
    ) -> None:
        self._provider = provider
        self._hub = hub
        self._endpoint = endpoint
        self._subscriptions = subscriptions
        self._heartbeat_seconds = heartbeat_seconds
        self._idle_seconds = idle_seconds
        self.on_candles: Callable[[Feed, int, Sequence[Candle]], None] = lambda *_: None
        """Called with the new and changed candles of each watched timeframe, oldest first."""
        self._heard: WeakKeyDictionary[Connection, tuple[int, float]] = WeakKeyDictionary()

    async def run_updates(self) -> None:
        """Publish each second, in step: a late tick is not made up for by a burst."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            self._hub.publish(self.updates())
            due = max(due + UPDATE_SECONDS, loop.time())
            await asyncio.sleep(due - loop.time())

    def updates(self) -> list[Update]:
        """What there is to tell now, one message for each candle that changed."""
        provider = self._provider
        updates: list[Update] = []
        for feed in provider.feeds.values():
            if not feed.live.frames:
                continue
            status, symbol = feed.status, feed.symbol
            if status.quality is not Quality.COMPLETE:
                for timeframe in feed.live.frames:
                    payload = messages.ohlcv_update(symbol, timeframe, None, status)
                    updates.append(Update(Pair(symbol, timeframe), payload, None))
                continue
            for timeframe, candles in feed.live.tick(feed.shown_ms(provider.clock.now_ms())):
                self.on_candles(feed, timeframe, candles)
                pair = Pair(symbol, timeframe)
                for candle in candles:
                    payload = messages.ohlcv_update(symbol, timeframe, candle, status)
                    updates.append(Update(pair, payload, candle.candle_time))
        return updates

    async def run_heartbeats(self) -> None:
        """Send heartbeats, and end connections that want nothing and say nothing."""
        while True:
            await asyncio.sleep(self._heartbeat_seconds)
            connections = list(self._endpoint.connections.values())
            payload = messages.heartbeat(time.time_ns() // 1_000_000, len(connections))
            self._hub.broadcast(connections, payload, "heartbeat")
            for connection in connections:
                if self._is_idle(connection):
                    text = (
                        f"Nothing was asked for in {self._idle_seconds:.0f} s; "
                        "connect again and subscribe"
                    )
                    connection.fault(Fault(FaultKind.TIMEOUT, text))
                    await connection.close(IDLE_CODE, "idle")

    def _is_idle(self, connection: Connection) -> bool:
        """Whether a client has had no subscription and said nothing for too long."""
        received, now = connection.messages_received, time.monotonic()
        before, since = self._heard.get(connection, (-1, now))
        if self._subscriptions.count(connection) or received != before:
            since = now
        self._heard[connection] = received, since
        return now - since > self._idle_seconds
