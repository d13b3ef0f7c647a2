"""What clients ask for over the WebSocket."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import cast

from generated.models import (
    AcceptedTimeframe,
    FailedTimeframe,
    Ping,
    Pong,
    Subscribe,
    SubscriptionResult,
    Unsubscribe,
    UnsubscriptionResult,
)
from generated.stream import StreamHandlers
from handlers.parts import now_ms
from handlers.subscriptions import Subscriptions, Wish
from ingest.core.timeframe import MAX_TIMEFRAME_MINUTES, label
from ingest.pipeline.pair import Pair
from ingest.pipeline.provider import Provider
from ingest.pipeline.watches import SHARE_WHEN_FULL
from wsrouter import Connection, Detail, Fault, FaultKind

_CODES = {
    FaultKind.MALFORMED: "INVALID_JSON",
    FaultKind.BINARY: "INVALID_JSON",
    FaultKind.UNKNOWN_MESSAGE: "UNKNOWN_ACTION",
    FaultKind.INVALID_MESSAGE: "INVALID_SUBSCRIPTION",
    FaultKind.WRONG_SERVER: "UNKNOWN_ACTION",
    FaultKind.TIMEOUT: "TIMEOUT",
    FaultKind.TOO_FAST: "CONNECTION_ERROR",
    FaultKind.BROKEN: "CONNECTION_ERROR",
    FaultKind.GOING_AWAY: "CONNECTION_ERROR",
    FaultKind.HANDLER_FAILED: "INTERNAL_ERROR",
}


Json = Mapping[str, object]


class Stream(StreamHandlers[Connection]):
    """The messages of `/ws/stream`."""

    def __init__(self, provider: Provider, subscriptions: Subscriptions, limit: int) -> None:
        self._provider = provider
        self._subscriptions = subscriptions
        self._limit = limit

    async def on_subscribe(self, connection: Connection, message: Subscribe) -> SubscriptionResult:
        """Subscribe to timeframes of symbols, with history if wanted."""
        wishes = {
            Pair(part.symbol, item.timeframe): item.initial_candles
            for part in message.subscriptions
            for item in part.timeframes
        }
        accepted: list[Wish] = []
        failed: dict[str | Pair, FailedTimeframe] = {}
        for pair, candles in wishes.items():
            refusal = self._refusal(connection, pair)
            if refusal is None:
                self._subscriptions.add(connection, pair)
                accepted.append(Wish(pair, candles))
            else:
                failed[pair.symbol if refusal.timeframe is None else pair] = refusal
        connection.after_reply(lambda: self._subscriptions.deliver(connection, accepted))
        successful: dict[str, list[AcceptedTimeframe]] = {}
        for pair, candles in accepted:
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
                            error_code="NOT_SUBSCRIBED",
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

    async def on_ping(self, connection: Connection, message: Ping) -> Pong:
        """Give a sign of life."""
        connection.last_ping = time.time()
        return Pong(type="pong", timestamp=now_ms(), client_timestamp=message.timestamp)

    def _refusal(self, connection: Connection, pair: Pair) -> FailedTimeframe | None:
        """Why a pair cannot be subscribed to, or None."""
        symbol, timeframe = pair
        if symbol not in self._provider.feeds:
            return FailedTimeframe(
                symbol=symbol,
                error_code="SYMBOL_NOT_ACTIVE",
                message=f"Symbol {symbol} is not active here; GET /api/v1/tickers/ lists "
                "those that are",
            )
        if self._subscriptions.has(connection, pair):
            return None
        count = self._subscriptions.count(connection)
        if count >= self._limit or not self._provider.watches.has_room(pair, count):
            limit = self._limit if count >= self._limit else SHARE_WHEN_FULL
            return FailedTimeframe(
                symbol=symbol,
                timeframe=timeframe,
                error_code="SUBSCRIPTION_LIMIT",
                message=f"This connection may have {limit} subscriptions now; "
                "unsubscribe from some first",
            )
        if self._provider.settler.store_failing_since_ms is not None:
            return FailedTimeframe(
                symbol=symbol,
                timeframe=timeframe,
                error_code="UNAVAILABLE",
                message="The store does not answer; try again",
            )
        return None


def error_reply(fault: Fault) -> Mapping[str, object]:
    """The contract's error message for whatever went wrong with a request."""
    code = fault.code or _CODES[fault.kind]
    text = fault.text
    details: dict[str, object] = {}
    if too_long := _too_long(fault):
        code, details = "INVALID_TIMEFRAME", too_long
        text = (
            f"Timeframe {too_long['timeframe']} of {too_long['symbol']} is above the maximum of "
            f"{MAX_TIMEFRAME_MINUTES} minutes"
        )
    elif fault.details:
        details = {"faults": [detail.as_dict() for detail in fault.details]}
        if any(_is_timeframe_too_small(detail) for detail in fault.details):
            text = "Invalid timeframe: timeframe must be positive"
    return {"type": "error", "error_code": code, "message": text, "details": details}


def _is_timeframe_too_small(detail: Detail) -> bool:
    return _is_timeframe(detail) and detail.keyword == "minimum"


def _is_timeframe(detail: Detail) -> bool:
    names = detail.path.split("/")
    return names[-1] == "timeframe" or names[-2:-1] == ["timeframes"]


def _too_long(fault: Fault) -> dict[str, object]:
    """Symbol, timeframe and maximum, where too long timeframes are all that is wrong."""
    if not fault.details or not all(
        _is_timeframe(detail) and detail.keyword == "maximum" for detail in fault.details
    ):
        return {}
    tokens = fault.details[0].path.split("/")[1:]
    return {
        "symbol": _at(fault.request, [*tokens[:2], "symbol"]),
        "timeframe": _at(fault.request, tokens),
        "maximum": MAX_TIMEFRAME_MINUTES,
    }


def _at(value: object, tokens: Sequence[str]) -> object:
    """What stands at these tokens of a JSON pointer, all of which are known to be there."""
    for token in tokens:
        value = value[int(token)] if isinstance(value, list) else cast("Json", value)[token]
    return value


def _outcome(noun: str, done: int, failed: int) -> str:
    if not failed:
        return f"All {noun}s successful"
    return f"{done} {noun}{'' if done == 1 else 's'} successful, {failed} failed"
