"""Requests to the public server."""

from __future__ import annotations

from collections.abc import Iterator

from handlers.kraken import errors
from handlers.kraken.channels import ACCOUNT_FEEDS, INTERVALS, Channel
from handlers.kraken.errors import Json
from handlers.kraken.pairs import PAIR_FORMAT, Pairs
from wsrouter import Connection, Refusal, Subscriptions

FEEDS = ("ohlc", "spread", "ticker", "trade")


class Requests:
    """The messages of the public server.

    It serves any document of this API: what the document leaves open is checked here.
    """

    def __init__(
        self, subscriptions: Subscriptions[Channel], pairs: Pairs, limit: int, private_address: str
    ) -> None:
        """A connection may have up to `limit` subscriptions."""
        self._subscriptions = subscriptions
        self._pairs = pairs
        self._limit = limit
        self._private_address = private_address

    async def on_ping(self, connection: Connection, message: Json) -> Json:  # noqa: ARG002
        """Answer a ping."""
        return pong(message)

    async def on_subscribe(self, connection: Connection, message: Json) -> list[Json]:
        """Subscribe to a feed of pairs; each pair is answered by itself."""
        feed, interval = self._wanted(message)
        answers = []
        for name, symbol in self._named(message):
            channel = Channel(feed, symbol or "", interval)
            if symbol is None:
                answers.append(_unknown(message, name))
            elif len(self._subscriptions.of(connection)) >= self._limit:
                answers.append(errors.refusal(message, errors.TOO_MANY, pair=name))
            elif self._subscriptions.has(connection, channel):
                answers.append(errors.refusal(message, errors.ALREADY_SUBSCRIBED, pair=name))
            else:
                self._subscriptions.add(connection, channel)
                answers.append(self._status(message, channel, "subscribed"))
        return answers

    async def on_unsubscribe(self, connection: Connection, message: Json) -> list[Json]:
        """Leave a feed of pairs, or one channel by its number."""
        if "channelID" in message:
            return [self._leave(connection, message)]
        feed, interval = self._wanted(message)
        answers = []
        for name, symbol in self._named(message):
            channel = Channel(feed, symbol or "", interval)
            if symbol is None:
                answers.append(_unknown(message, name))
            elif self._subscriptions.remove(connection, channel):
                answers.append(self._status(message, channel, "unsubscribed"))
            else:
                answers.append(errors.refusal(message, errors.NOT_SUBSCRIBED, pair=name))
        return answers

    def _leave(self, connection: Connection, message: Json) -> Json:
        for channel in self._subscriptions.of(connection):
            if self._pairs.channel_number(channel) == message["channelID"]:
                self._subscriptions.remove(connection, channel)
                return self._status(message, channel, "unsubscribed")
        raise Refusal("NOT_SUBSCRIBED", errors.NOT_SUBSCRIBED)

    def refuse(self, connection: Connection, channel: Channel) -> None:
        """Tell a client that a subscription has ended because its data could not be had."""
        asked = {
            "pair": [self._pairs.of(channel.symbol).wsname],
            "subscription": channel.subscription,
        }
        connection.send(errors.refusal(asked, errors.UNAVAILABLE))

    def _status(self, request: object, channel: Channel, state: str) -> Json:
        """The `subscriptionStatus` of one channel."""
        return errors.status(
            request,
            channelID=self._pairs.channel_number(channel),
            channelName=channel.name,
            pair=self._pairs.of(channel.symbol).wsname,
            status=state,
            subscription=channel.subscription,
        )

    def _wanted(self, message: Json) -> tuple[str, int]:
        """The feed asked for and its interval, 0 where it has none; raises Refusal."""
        subscription = message.get("subscription")
        if not isinstance(subscription, dict):
            raise Refusal("NO_SUBSCRIPTION", errors.NO_SUBSCRIPTION)
        name = subscription.get("name")
        if name in ACCOUNT_FEEDS:
            where = errors.elsewhere(errors.PRIVATE_ELSEWHERE, self._private_address)
            raise Refusal("PRIVATE", where)
        for option, feed in (("interval", "ohlc"), ("depth", "book")):
            if option in subscription and name != feed:
                raise Refusal("NO_OPTION", f"Subscription {name} doesn't require {option}")
        if name not in FEEDS:
            raise Refusal("NAME", errors.BAD_NAME)
        return name, int(subscription.get("interval", INTERVALS[0])) if name == "ohlc" else 0

    def _named(self, message: Json) -> Iterator[tuple[str, str | None]]:
        """Each pair asked for, once, and its symbol when it is followed; raises Refusal."""
        names = message.get("pair")
        if not names:
            raise Refusal("NO_PAIR", errors.NO_PAIR)
        if not self._pairs.are_known:
            raise Refusal("UNAVAILABLE", errors.UNAVAILABLE)
        for name in dict.fromkeys(names):
            pair = self._pairs.named(name)
            yield name, None if pair is None else pair.symbol


def pong(message: Json) -> Json:
    """The answer to a ping."""
    return {"event": "pong", **errors.reqid(message)}


def _unknown(message: Json, name: str) -> Json:
    text = errors.UNKNOWN_PAIR if PAIR_FORMAT.fullmatch(name) else errors.BAD_PAIR
    return errors.refusal(message, f"{text} {name}", pair=name)
