"""What clients ask for over the WebSocket."""

from __future__ import annotations

from collections.abc import Mapping

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
from ingest.pipeline.provider import Provider
from ingest.pipeline.watches import Pair
from wsrouter import Connection, Detail, Fault, FaultKind, Refusal

_CODES = {
    FaultKind.MALFORMED: "INVALID_JSON",
    FaultKind.BINARY: "INVALID_JSON",
    FaultKind.UNKNOWN_MESSAGE: "UNKNOWN_ACTION",
    FaultKind.INVALID_MESSAGE: "INVALID_SUBSCRIPTION",
    FaultKind.WRONG_SERVER: "UNKNOWN_ACTION",
    FaultKind.TIMEOUT: "TIMEOUT",
    FaultKind.TOO_FAST: "RATE_LIMITED",
    FaultKind.HANDLER_FAILED: "INTERNAL_ERROR",
}

_NUMBERS = {"timeframe", "maximum"}


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
        for pair in wishes:
            _check_timeframe(pair)
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

    async def on_ping(self, connection: Connection, message: Ping) -> Pong:  # noqa: ARG002
        """Give a sign of life."""
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
        if self._subscriptions.count(connection) >= self._limit or self._provider.watches.full:
            return FailedTimeframe(
                symbol=symbol,
                timeframe=timeframe,
                error_code="SUBSCRIPTION_LIMIT",
                message=f"This connection may have {self._limit} subscriptions; "
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
    if fault.kind is FaultKind.REFUSED:
        details = {
            detail.path: int(detail.message) if detail.path in _NUMBERS else detail.message
            for detail in fault.details
        }
    elif fault.details:
        details = {"faults": [detail.as_dict() for detail in fault.details]}
        if any(_is_timeframe_too_small(detail) for detail in fault.details):
            text = "Invalid timeframe: timeframe must be positive"
    return {"type": "error", "error_code": code, "message": text, "details": details}


def _is_timeframe_too_small(detail: Detail) -> bool:
    names = detail.path.split("/")
    is_timeframe = names[-1] == "timeframe" or names[-2:-1] == ["timeframes"]
    return is_timeframe and detail.schema_path.endswith("/minimum")


def _check_timeframe(pair: Pair) -> None:
    if pair.timeframe > MAX_TIMEFRAME_MINUTES:
        raise Refusal(
            "INVALID_TIMEFRAME",
            f"Timeframe {pair.timeframe} of {pair.symbol} is above the maximum of "
            f"{MAX_TIMEFRAME_MINUTES} minutes",
            details=[
                Detail("symbol", pair.symbol, ""),
                Detail("timeframe", str(pair.timeframe), ""),
                Detail("maximum", str(MAX_TIMEFRAME_MINUTES), ""),
            ],
        )


def _outcome(noun: str, done: int, failed: int) -> str:
    if not failed:
        return f"All {noun}s successful"
    return f"{done} {noun}{'' if done == 1 else 's'} successful, {failed} failed"
