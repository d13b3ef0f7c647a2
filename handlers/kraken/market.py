"""What clients ask of the public server."""

from __future__ import annotations

from collections.abc import Iterator

from handlers.kraken import errors
from handlers.kraken.channels import ACCOUNT_FEEDS, INTERVALS, Channel
from handlers.kraken.errors import Json
from handlers.kraken.pairs import PAIR_FORMAT, Pairs
from handlers.kraken.subscriptions import Subscriptions
from wsrouter import Connection, Refusal

FEEDS = ("ohlc", "spread", "ticker", "trade")


class Market:
    """The messages of the public server.

    It serves any document of this API: what the document leaves open is checked here.
    """

    def __init__(
        self, subscriptions: Subscriptions, pairs: Pairs, limit: int, private_address: str
    ) -> None:
        """A connection may have up to `limit` subscriptions."""
        self._subscriptions = subscriptions
        self._pairs = pairs
        self._limit = limit
        self._private_address = private_address

    async def on_ping(self, connection: Connection, message: Json) -> Json:  # noqa: ARG002
        """Give a sign of life."""
        return pong(message)

    async def on_subscribe(self, connection: Connection, message: Json) -> list[Json]:
        """Subscribe to a feed of pairs; each pair is answered by itself."""
        feed, interval = self._wanted(message)
        accepted: list[Channel] = []
        answers = []
        for name, symbol in self._named(message):
            channel = Channel(feed, symbol or "", interval)
            if symbol is None:
                answers.append(_unknown(message, name))
            elif len(self._subscriptions.of(connection)) >= self._limit:
                answers.append(errors.refusal(message, errors.TOO_MANY, pair=name))
            elif not self._subscriptions.add(connection, channel):
                answers.append(errors.refusal(message, errors.ALREADY_SUBSCRIBED, pair=name))
            else:
                accepted.append(channel)
                answers.append(self._subscriptions.status(message, channel, "subscribed"))
        connection.after_reply(lambda: self._subscriptions.deliver(connection, accepted))
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
                answers.append(self._subscriptions.status(message, channel, "unsubscribed"))
            else:
                answers.append(errors.refusal(message, errors.NOT_SUBSCRIBED, pair=name))
        return answers

    def _leave(self, connection: Connection, message: Json) -> Json:
        for channel in self._subscriptions.of(connection):
            if self._subscriptions.number(channel) == message["channelID"]:
                self._subscriptions.remove(connection, channel)
                return self._subscriptions.status(message, channel, "unsubscribed")
        raise Refusal("NOT_SUBSCRIBED", errors.NOT_SUBSCRIBED)

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
