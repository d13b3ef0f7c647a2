"""Requests to the public server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from asyncapi_server import Connection, Refusal, Subscriptions
from generated.kraken.facts import (
    INTERVAL_DEFAULT,
    ErrorText,
    MarketFeed,
    SubscriptionState,
)
from generated.kraken.models import (
    MarketSubscription,
    MarketSubscriptionStatus,
    Ping,
    Pong,
    Subscribe,
    SubscriptionError,
    SubscriptionStatus,
    Unsubscribe,
)
from generated.kraken.public import PublicHandlers
from handlers.failure import log_failure
from handlers.kraken.channels import Channel
from handlers.kraken.errors import refusal
from handlers.kraken.pairs import Pairs, is_pair


class Requests(PublicHandlers[Connection]):
    """The messages of the public server."""

    def __init__(self, subscriptions: Subscriptions[Channel], pairs: Pairs, limit: int) -> None:
        """A connection may have up to `limit` subscriptions."""
        self._subscriptions = subscriptions
        self._pairs = pairs
        self._limit = limit

    async def on_ping(self, connection: Connection, message: Ping) -> Pong:  # noqa: ARG002
        """Answer a ping."""
        return Pong(event="pong")

    async def on_subscribe(
        self, connection: Connection, message: Subscribe
    ) -> tuple[SubscriptionStatus, ...]:
        """Subscribe to a feed of pairs; each pair is answered by itself."""
        wanted = message.subscription
        feed, interval = _feed(wanted)
        answers: list[SubscriptionStatus] = []
        for name, symbol in self._named(message.pair):
            channel = Channel(feed, symbol or "", interval)
            if symbol is None:
                answers.append(_refused(_unknown(name), name, wanted))
            elif len(self._subscriptions.of(connection)) >= self._limit:
                answers.append(_refused(ErrorText.TOO_MANY, name, wanted))
            elif self._subscriptions.has(connection, channel):
                answers.append(_refused(ErrorText.ALREADY_SUBSCRIBED, name, wanted))
            else:
                self._subscriptions.add(connection, channel)
                answers.append(self._status(channel, SubscriptionState.SUBSCRIBED))
        return tuple(answers)

    async def on_unsubscribe(
        self, connection: Connection, message: Unsubscribe
    ) -> tuple[SubscriptionStatus, ...]:
        """Leave a feed of pairs, or one channel by its number."""
        wanted = message.subscription
        if message.channelID is not None or wanted is None:
            return (self._leave(connection, message.channelID),)
        feed, interval = _feed(wanted)
        answers: list[SubscriptionStatus] = []
        for name, symbol in self._named(message.pair):
            channel = Channel(feed, symbol or "", interval)
            if symbol is None:
                answers.append(_refused(_unknown(name), name, wanted))
            elif self._subscriptions.remove(connection, channel):
                answers.append(self._status(channel, SubscriptionState.UNSUBSCRIBED))
            else:
                answers.append(_refused(ErrorText.NOT_SUBSCRIBED, name, wanted))
        return tuple(answers)

    def _leave(self, connection: Connection, number: int | None) -> MarketSubscriptionStatus:
        for channel in self._subscriptions.of(connection):
            if self._pairs.channel_number(channel) == number:
                self._subscriptions.remove(connection, channel)
                return self._status(channel, SubscriptionState.UNSUBSCRIBED)
        raise Refusal("NOT_SUBSCRIBED", ErrorText.NOT_SUBSCRIBED)

    def refuse(self, connection: Connection, channel: Channel, error: Exception) -> None:
        """Send the error that a subscription has ended because its data could not be had."""
        log_failure(channel, error)
        name = self._pairs.of(channel.symbol).wsname
        connection.send(_refused(ErrorText.UNAVAILABLE, name, channel.subscription))

    def _status(self, channel: Channel, state: SubscriptionState) -> MarketSubscriptionStatus:
        """The state of one channel."""
        return MarketSubscriptionStatus(
            channelID=self._pairs.channel_number(channel),
            channelName=channel.name,
            event="subscriptionStatus",
            pair=self._pairs.of(channel.symbol).wsname,
            status=state,
            subscription=channel.subscription,
        )

    def _named(self, names: Sequence[str] | None) -> Iterator[tuple[str, str | None]]:
        """Each pair asked for, once, and its symbol when it is followed; raises Refusal."""
        if not names:
            raise Refusal("NO_PAIR", ErrorText.NO_PAIR)
        if not self._pairs.are_known:
            raise Refusal("UNAVAILABLE", ErrorText.UNAVAILABLE)
        for name in dict.fromkeys(names):
            pair = self._pairs.named(name)
            yield name, None if pair is None else pair.symbol


def _feed(wanted: MarketSubscription) -> tuple[MarketFeed, int]:
    """The feed asked for and its interval, 0 where it has none; raises Refusal."""
    options = wanted.model_fields_set
    for option, feed in (("interval", MarketFeed.OHLC), ("depth", MarketFeed.BOOK)):
        if option in options and wanted.name is not feed:
            raise Refusal("NO_OPTION", f"Subscription {wanted.name} doesn't require {option}")
    if wanted.name is MarketFeed.BOOK:
        raise Refusal("BAD_NAME", ErrorText.BAD_NAME)
    has_interval = wanted.name is MarketFeed.OHLC
    return wanted.name, (wanted.interval or INTERVAL_DEFAULT) if has_interval else 0


def _refused(text: str, pair: str, wanted: MarketSubscription) -> SubscriptionError:
    return refusal(text, pair, wanted.model_dump(exclude_unset=True))


def _unknown(name: str) -> str:
    return f"{ErrorText.UNKNOWN_PAIR if is_pair(name) else ErrorText.BAD_PAIR} {name}"
