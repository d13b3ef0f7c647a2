"""The streams `aggTrade`: each trade, in the order of ids, none left out."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from generated.native.facts import DataQuality
from handlers.binance.stream import messages
from handlers.binance.stream.fan import Fan, Make, Message
from handlers.binance.stream.names import Stream
from ingest.binance.clock import ExchangeClock
from ingest.core.trade import Trade
from ingest.pipeline.view import MarketView

MAX_HELD = 20_000
"""Trades of a symbol that wait for its data to be complete; of more the newest are kept."""


class AggTrades:
    """Publishes each trade that comes over the stream, when none before it is missing.

    Taking trades in must not wait for it, so they are published when the event loop comes round.
    """

    def __init__(self, view: MarketView, clock: ExchangeClock, fan: Fan) -> None:
        self._view = view
        self._clock = clock
        self._fan = fan
        self._streams: dict[str, Stream] = {}
        self._held: defaultdict[str, list[Trade]] = defaultdict(list)
        """By symbol, the trades that have not been published yet."""
        self._is_due = False
        view.on_complete.append(lambda _: self._schedule())

    def open(self, stream: Stream) -> None:
        """Listen to a symbol."""
        self._streams[stream.symbol] = stream
        self._view.listen(stream.symbol, self._hear)

    def close(self, stream: Stream) -> None:
        """Listen no longer."""
        self._view.ignore(stream.symbol, self._hear)
        del self._streams[stream.symbol]
        self._held.pop(stream.symbol, None)

    async def first(self, stream: Stream) -> Make | None:  # noqa: ARG002
        """None: the stream begins with the next trade."""
        return None

    def _hear(self, symbol: str, trades: Sequence[Trade]) -> None:
        held = self._held[symbol]
        held += (trade for trade in trades if not trade.is_tombstone)
        del held[:-MAX_HELD]
        self._schedule()

    def _schedule(self) -> None:
        if self._held and not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._publish)

    def _publish(self) -> None:
        self._is_due = False
        complete = [
            symbol
            for symbol in self._held
            if self._view.status(symbol).quality is DataQuality.COMPLETE
        ]
        if not complete:
            return
        now_ms = self._clock.now_ms()
        self._fan.publish(
            message
            for symbol in complete
            for message in self._messages(self._streams[symbol], self._held.pop(symbol), now_ms)
        )

    @staticmethod
    def _messages(stream: Stream, trades: list[Trade], now_ms: int) -> list[Message]:
        trades.sort(key=lambda trade: trade.aggregate_id)
        return [
            # The key is of this message alone: one that waits for a slow client is not replaced.
            Message(
                stream,
                partial(messages.agg_trade, stream.symbol, trade, max(now_ms, trade.timestamp)),
                trade.aggregate_id,
            )
            for trade in trades
        ]
