"""Who is subscribed to which channel, and the sources that are open because of it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

from handlers.deliveries import Deliveries
from handlers.kraken import errors
from handlers.kraken.channels import Channel
from handlers.kraken.pairs import Pairs
from handlers.kraken.sources import Source
from ingest.core.errors import CandlecastError
from wsrouter import Connection, Hub

log = logging.getLogger(__name__)


class Subscriptions:
    """The channels of every connection. A source is open while a channel of it has subscribers."""

    def __init__(self, sources: Mapping[str, Source], pairs: Pairs, hub: Hub) -> None:
        """`sources` by the name of their feed."""
        self._sources = sources
        self._pairs = pairs
        self._hub = hub
        self._wanted: dict[Connection, dict[Channel, None]] = {}
        self._subscribers: Counter[Channel] = Counter()
        self._deliveries = Deliveries()

    def of(self, connection: Connection) -> Sequence[Channel]:
        """The channels of one connection."""
        return tuple(self._wanted.get(connection, ()))

    def number(self, channel: Channel) -> int:
        """The number of a channel in messages."""
        return self._pairs.number(channel.symbol) + channel.offset

    def add(self, connection: Connection, channel: Channel) -> bool:
        """Accept a subscription, for which `deliver` has to follow; False when it exists."""
        wanted = self._wanted.setdefault(connection, {})
        if channel in wanted:
            return False
        wanted[channel] = None
        self._subscribers[channel] += 1
        if self._subscribers[channel] == 1:
            self._sources[channel.feed].open(channel)
        return True

    def remove(self, connection: Connection, channel: Channel) -> bool:
        """End a subscription; False when there is none."""
        wanted = self._wanted.get(connection, {})
        if channel not in wanted:
            return False
        del wanted[channel]
        self._hub.unsubscribe(connection, channel)
        self._deliveries.cancel(connection, channel, channel.feed)
        self._subscribers[channel] -= 1
        if not self._subscribers[channel]:
            del self._subscribers[channel]
            self._sources[channel.feed].close(channel)
        return True

    def drop(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        self._deliveries.drop(connection)
        for channel in self.of(connection):
            self.remove(connection, channel)
        self._wanted.pop(connection, None)
        self._hub.drop(connection)

    def deliver(self, connection: Connection, channels: Sequence[Channel]) -> None:
        """Begin to send the data of channels that were accepted."""
        for channel in channels:
            work = partial(self._deliver, connection, channel)
            self._deliveries.add(connection, channel, work, channel.feed)

    def status(self, request: object, channel: Channel, state: str) -> errors.Json:
        """The `subscriptionStatus` of one channel."""
        return errors.status(
            request,
            channelID=self.number(channel),
            channelName=channel.name,
            pair=self._pairs.of(channel.symbol).wsname,
            status=state,
            subscription=channel.subscription,
        )

    async def _deliver(self, connection: Connection, channel: Channel) -> None:
        try:
            message = await self._sources[channel.feed].first(channel)
        except CandlecastError as error:
            log.warning("%s of %s cannot begin now: %s", channel.name, channel.symbol, error)
            if self.remove(connection, channel):
                pair = self._pairs.of(channel.symbol).wsname
                asked = {"pair": [pair], "subscription": channel.subscription}
                connection.send(errors.refusal(asked, errors.UNAVAILABLE))
            return
        if channel in self._wanted.get(connection, ()):
            if message is not None:
                connection.send(message)
            self._hub.subscribe(connection, channel)
