"""The streams `aggTrade`: each trade, in the order of ids, none left out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from handlers.binance.stream import messages
from handlers.binance.stream.fan import Fan, Make, Message
from handlers.binance.stream.names import Stream
from ingest.binance.clock import ExchangeClock
from ingest.core.trade import Trade
from ingest.pipeline.in_order import InOrder
from ingest.pipeline.view import MarketView


class AggTrades:
    """Publishes each trade that comes over the stream."""

    def __init__(self, view: MarketView, clock: ExchangeClock, fan: Fan) -> None:
        self._clock = clock
        self._fan = fan
        self._streams: dict[str, Stream] = {}
        self._trades = InOrder(view, self._publish)

    def open(self, stream: Stream) -> None:
        """Listen to a symbol."""
        self._streams[stream.symbol] = stream
        self._trades.open(stream.symbol)

    def close(self, stream: Stream) -> None:
        """Listen no longer."""
        self._trades.close(stream.symbol)
        del self._streams[stream.symbol]

    async def first(self, stream: Stream) -> Make | None:  # noqa: ARG002
        """None: the stream begins with the next trade."""
        return None

    def _publish(self, batch: Mapping[str, list[Trade]]) -> None:
        now_ms = self._clock.now_ms()
        self._fan.publish(
            # The key is of this message alone: one that waits for a slow client is not replaced.
            Message(
                self._streams[symbol],
                partial(messages.agg_trade, symbol, trade, max(now_ms, trade.timestamp)),
                trade.aggregate_id,
            )
            for symbol, trades in batch.items()
            for trade in trades
        )
