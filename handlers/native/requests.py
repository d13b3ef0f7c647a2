"""The requests of the stream."""

from __future__ import annotations

import asyncio
import time

from asyncapi_server import Connection, Refusal, Subscriptions
from generated.native.facts import FailureCode, StreamErrorCode
from generated.native.models import (
    AcceptedTimeframe,
    Authenticate,
    AuthenticationResult,
    FailedTimeframe,
    Ping,
    Pong,
    Subscribe,
    SubscribeTickers,
    SubscriptionResult,
    TickersSubscriptionResult,
    Unsubscribe,
    UnsubscribeTickers,
    UnsubscriptionResult,
)
from generated.native.stream import StreamHandlers
from handlers.keys import Callers, KeyRefused
from handlers.native.tickers import TICKERS, AllSymbols
from ingest.binance.now import host_ms
from ingest.core.timeframe import label
from ingest.pipeline.pair import Pair
from ingest.pipeline.view import MarketView
from ingest.pipeline.watches import SHARE_WHEN_FULL

POLICY_VIOLATION = 1008


class Requests(StreamHandlers[Connection]):
    """The messages of `/ws/stream`."""

    def __init__(
        self,
        view: MarketView,
        subscriptions: Subscriptions[Pair],
        tickers: Subscriptions[AllSymbols],
        callers: Callers,
        limit: int,
    ) -> None:
        """A connection may have up to `limit` subscriptions to candles."""
        self._callers = callers
        self._closing: set[asyncio.Task[None]] = set()
        self._view = view
        self._subscriptions = subscriptions
        self._tickers = tickers
        self._limit = limit

    async def on_subscribe(self, connection: Connection, message: Subscribe) -> SubscriptionResult:
        """Subscribe to timeframes of symbols, with history if wanted."""
        self._hold_to_key(connection)
        wanted = {
            Pair(part.symbol, item.timeframe): item.initial_candles
            for part in message.subscriptions
            for item in part.timeframes
        }
        accepted: dict[Pair, int] = {}
        failed: dict[str | Pair, FailedTimeframe] = {}
        for pair, candles in wanted.items():
            refusal = self._refusal(connection, pair)
            if refusal is None:
                self._subscriptions.add(connection, pair, candles)
                accepted[pair] = candles
            else:
                failed[pair.symbol if refusal.timeframe is None else pair] = refusal
        successful: dict[str, list[AcceptedTimeframe]] = {}
        for pair, candles in accepted.items():
            item = AcceptedTimeframe(timeframe=pair.timeframe, initial_candles=candles)
            successful.setdefault(pair.symbol, []).append(item)
        return SubscriptionResult(
            type="subscription_result",
            successful_subscriptions=successful,
            failed_subscriptions=list(failed.values()),
            message=_outcome("subscription", len(accepted), len(failed)),
        )

    async def on_unsubscribe(
        self, connection: Connection, message: Unsubscribe
    ) -> UnsubscriptionResult:
        """Stop getting timeframes of symbols."""
        successful: dict[str, list[int]] = {}
        failed: list[FailedTimeframe] = []
        for part in message.unsubscriptions:
            for timeframe in part.timeframes:
                if self._subscriptions.remove(connection, Pair(part.symbol, timeframe)):
                    successful.setdefault(part.symbol, []).append(timeframe)
                else:
                    failed.append(
                        FailedTimeframe(
                            symbol=part.symbol,
                            timeframe=timeframe,
                            error_code=FailureCode.NOT_SUBSCRIBED,
                            message=f"{part.symbol} {label(timeframe)} is not subscribed "
                            "on this connection",
                        )
                    )
        return UnsubscriptionResult(
            type="unsubscription_result",
            successful_unsubscriptions=successful,
            failed_unsubscriptions=failed,
            message=_outcome("unsubscription", sum(map(len, successful.values())), len(failed)),
        )

    async def on_subscribe_tickers(
        self,
        connection: Connection,
        message: SubscribeTickers,  # noqa: ARG002
    ) -> TickersSubscriptionResult:
        """Subscribe to all symbols in short."""
        self._hold_to_key(connection)
        self._tickers.add(connection, TICKERS)
        return TickersSubscriptionResult(type="tickers_subscription_result", subscribed=True)

    async def on_unsubscribe_tickers(
        self,
        connection: Connection,
        message: UnsubscribeTickers,  # noqa: ARG002
    ) -> TickersSubscriptionResult:
        """Stop getting all symbols in short."""
        self._tickers.remove(connection, TICKERS)
        return TickersSubscriptionResult(type="tickers_subscription_result", subscribed=False)

    async def on_ping(self, connection: Connection, message: Ping) -> Pong:
        """Answer a ping."""
        connection.last_ping = time.time()
        return Pong(type="pong", timestamp=host_ms(), client_timestamp=message.timestamp)

    async def on_authenticate(
        self, connection: Connection, message: Authenticate
    ) -> AuthenticationResult:
        """Take the key of a connection that was opened without one; a wrong one ends it."""
        try:
            key = self._callers.present(connection.request, message.api_key)
        except KeyRefused as error:
            ending = asyncio.create_task(connection.close(POLICY_VIOLATION, "the key is not good"))
            self._closing.add(ending)
            ending.add_done_callback(self._closing.discard)
            raise Refusal(StreamErrorCode.UNAUTHORIZED, str(error)) from None
        return AuthenticationResult(
            type="authentication_result",
            label=key.label,
            scopes=list(key.scopes),
            expires_at=key.expires_ms,
        )

    def _hold_to_key(self, connection: Connection) -> None:
        """Raise Refusal when the connection has yet to present a key."""
        if not self._callers.may_read(connection.request):
            text = "A key is needed: send it by authenticate, or open the connection with it"
            raise Refusal(StreamErrorCode.UNAUTHORIZED, text)

    def _refusal(self, connection: Connection, pair: Pair) -> FailedTimeframe | None:
        """Why a pair cannot be subscribed to, or None."""
        symbol, timeframe = pair
        if symbol not in self._view.symbols:
            return FailedTimeframe(
                symbol=symbol,
                error_code=FailureCode.SYMBOL_NOT_ACTIVE,
                message=f"Symbol {symbol} is not active here; GET /api/v1/tickers/ lists "
                "those that are",
            )
        if self._subscriptions.has(connection, pair):
            return None
        count = len(self._subscriptions.of(connection))
        if count >= self._limit or not self._view.has_room(pair, count):
            limit = self._limit if count >= self._limit else SHARE_WHEN_FULL
            return FailedTimeframe(
                symbol=symbol,
                timeframe=timeframe,
                error_code=FailureCode.SUBSCRIPTION_LIMIT,
                message=f"This connection may have {limit} subscriptions now; "
                "unsubscribe from some first",
            )
        if not self._view.is_storing:
            return FailedTimeframe(
                symbol=symbol,
                timeframe=timeframe,
                error_code=FailureCode.UNAVAILABLE,
                message="The store does not answer; try again",
            )
        return None


def _outcome(noun: str, done: int, failed: int) -> str:
    if not failed:
        return f"All {noun}s successful"
    return f"{done} {noun}{'' if done == 1 else 's'} successful, {failed} failed"
