"""Requests to the private server: feeds of an account that has never traded."""

from __future__ import annotations

import asyncio

from asyncapi_server import Connection, Refusal
from generated.kraken.facts import AccountFeed, ErrorText, SubscriptionState
from generated.kraken.models import (
    AccountFeedName,
    AccountSubscriptionStatus,
    Ping,
    Pong,
    SubscribePrivate,
    UnsubscribePrivate,
)
from generated.kraken.private import PrivateHandlers
from handlers.kraken import messages
from handlers.kraken.tokens import Tokens


class Account(PrivateHandlers[Connection]):
    """The messages of the private server. A subscription lasts as long as its token."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._ends: dict[Connection, dict[AccountFeed, asyncio.TimerHandle]] = {}
        """The end of each subscription, by the name of its feed."""

    async def on_ping(self, connection: Connection, message: Ping) -> Pong:  # noqa: ARG002
        """Answer a ping."""
        return Pong(event="pong")

    async def on_subscribe(
        self, connection: Connection, message: SubscribePrivate
    ) -> AccountSubscriptionStatus:
        """Subscribe to a feed of the account, which begins with an empty snapshot."""
        wanted = message.subscription
        remaining = self._tokens.remaining(wanted.token)
        if not remaining:
            raise Refusal("SESSION", ErrorText.INVALID_SESSION)
        ends = self._ends.setdefault(connection, {})
        if wanted.name in ends:
            raise Refusal("SUBSCRIBED", ErrorText.ALREADY_SUBSCRIBED)
        loop = asyncio.get_running_loop()
        ends[wanted.name] = loop.call_later(remaining, self._expire, connection, wanted.name)
        if wanted.name is AccountFeed.OPEN_ORDERS:
            connection.send_after_reply(messages.open_orders())
        elif wanted.snapshot:
            connection.send_after_reply(messages.own_trades())
        return _status(wanted.name, SubscriptionState.SUBSCRIBED)

    async def on_unsubscribe(
        self, connection: Connection, message: UnsubscribePrivate
    ) -> AccountSubscriptionStatus:
        """Leave a feed of the account."""
        feed = message.subscription.name
        end = self._ends.get(connection, {}).pop(feed, None)
        if end is None:
            raise Refusal("NOT_SUBSCRIBED", ErrorText.NOT_SUBSCRIBED)
        end.cancel()
        return _status(feed, SubscriptionState.UNSUBSCRIBED)

    def drop(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        for end in self._ends.pop(connection, {}).values():
            end.cancel()

    def _expire(self, connection: Connection, feed: AccountFeed) -> None:
        del self._ends[connection][feed]
        connection.send(_status(feed, SubscriptionState.UNSUBSCRIBED))


def _status(feed: AccountFeed, state: SubscriptionState) -> AccountSubscriptionStatus:
    return AccountSubscriptionStatus(
        channelName=feed,
        event="subscriptionStatus",
        status=state,
        subscription=AccountFeedName(name=feed),
    )
