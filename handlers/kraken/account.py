"""What clients ask of the private server: feeds of an account that has never traded."""

from __future__ import annotations

import asyncio

from handlers.kraken import errors
from handlers.kraken.channels import ACCOUNT_FEEDS
from handlers.kraken.errors import Json
from handlers.kraken.requests import pong
from handlers.kraken.tokens import Tokens
from wsrouter import Connection, Refusal


class Account:
    """The messages of the private server. A subscription lasts as long as its token.

    It serves any document of this API: what the document leaves open is checked here.
    """

    def __init__(self, tokens: Tokens, public_address: str) -> None:
        self._tokens = tokens
        self._public_address = public_address
        self._ends: dict[Connection, dict[str, asyncio.TimerHandle]] = {}
        """The end of each subscription, by the name of its feed."""

    async def on_ping(self, connection: Connection, message: Json) -> Json:  # noqa: ARG002
        """Answer a ping."""
        return pong(message)

    async def on_subscribe(self, connection: Connection, message: Json) -> Json:
        """Subscribe to a feed of the account, which begins with an empty snapshot."""
        subscription = self._wanted(message)
        feed, token = subscription["name"], subscription.get("token")
        if token is None:
            raise Refusal("NO_TOKEN", errors.INVALID_ARGUMENTS)
        remaining = self._tokens.remaining(token)
        if not remaining:
            raise Refusal("SESSION", errors.INVALID_SESSION)
        ends = self._ends.setdefault(connection, {})
        if feed in ends:
            raise Refusal("SUBSCRIBED", errors.ALREADY_SUBSCRIBED)
        loop = asyncio.get_running_loop()
        ends[feed] = loop.call_later(remaining, self._expire, connection, feed)
        if feed != "ownTrades" or subscription.get("snapshot", True):
            connection.send_after_reply([[], feed, {"sequence": 1}])
        return _status(message, feed, "subscribed")

    async def on_unsubscribe(self, connection: Connection, message: Json) -> Json:
        """Leave a feed of the account."""
        feed = self._wanted(message)["name"]
        end = self._ends.get(connection, {}).pop(feed, None)
        if end is None:
            raise Refusal("NOT_SUBSCRIBED", errors.NOT_SUBSCRIBED)
        end.cancel()
        return _status(message, feed, "unsubscribed")

    def _wanted(self, message: Json) -> Json:
        """What is asked for, a feed of the account; raises Refusal."""
        subscription = message.get("subscription")
        if not isinstance(subscription, dict):
            raise Refusal("NO_SUBSCRIPTION", errors.NO_SUBSCRIPTION)
        if subscription.get("name") not in ACCOUNT_FEEDS:
            where = errors.elsewhere(errors.PUBLIC_ELSEWHERE, self._public_address)
            raise Refusal("PUBLIC", where)
        return subscription

    def drop(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        for end in self._ends.pop(connection, {}).values():
            end.cancel()

    def _expire(self, connection: Connection, feed: str) -> None:
        del self._ends[connection][feed]
        connection.send(_status({}, feed, "unsubscribed"))


def _status(message: Json, feed: str, state: str) -> Json:
    return errors.status(message, channelName=feed, status=state, subscription={"name": feed})
