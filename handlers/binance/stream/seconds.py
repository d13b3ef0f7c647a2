"""The streams `kline_1s`: candles of seconds, made of the trades as they come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from generated.native.facts import DataQuality
from handlers.binance.stream import messages
from handlers.binance.stream.fan import Fan, Make, Message
from handlers.binance.stream.names import Stream
from handlers.binance.stream.running import Shown
from ingest.binance.clock import ExchangeClock
from ingest.core.candle import flat, merge, of_trade
from ingest.core.timeframe import bucket_start
from ingest.core.trade import Trade
from ingest.pipeline.in_order import InOrder
from ingest.pipeline.seconds import SECOND_MS
from ingest.pipeline.view import MarketView

MOST_QUIET = 1000
"""Quiet seconds that are published at once; of more these are the last."""


class Second:
    """The running second of a symbol."""

    def __init__(self, start_ms: int, close: int) -> None:
        """The first whole second; `close` is the price before it."""
        self._candle = flat(start_ms, close)

    def take(self, trade: Trade) -> Iterator[Shown]:
        """Take a trade; yields the seconds that it ends. One of an ended second is passed over."""
        start = trade.timestamp // SECOND_MS * SECOND_MS
        if start >= self._candle.candle_time:
            yield from self.go_on(start)
            self._candle = merge(self._candle, of_trade(trade, start), start)
        elif not self._candle.aggregates:
            self._candle = flat(self._candle.candle_time, trade.price)

    def go_on(self, start_ms: int) -> Iterator[Shown]:
        """Go on to a second; yields those before it."""
        ended = self._candle
        if start_ms <= ended.candle_time:
            return
        yield Shown(ended, is_closed=True)
        first = max(ended.candle_time + SECOND_MS, start_ms - MOST_QUIET * SECOND_MS)
        for quiet in range(first, start_ms, SECOND_MS):
            yield Shown(flat(quiet, ended.close), is_closed=True)
        self._candle = flat(start_ms, ended.close)

    @property
    def shown(self) -> Shown:
        """The second as it is now."""
        return Shown(self._candle, is_closed=False)


class Seconds:
    """Publishes seconds as their trades come; `tick` has to be called once a second.

    A second has ended when a later trade comes, or when its minute is over: so a quiet one comes
    late, and none is closed too early.
    """

    def __init__(self, view: MarketView, clock: ExchangeClock, fan: Fan) -> None:
        self._view = view
        self._clock = clock
        self._fan = fan
        self._streams: dict[str, Stream] = {}
        self._running: dict[str, Second] = {}
        self._trades = InOrder(view, self._take)

    def open(self, stream: Stream) -> None:
        """Listen to a symbol."""
        self._streams[stream.symbol] = stream
        self._trades.open(stream.symbol)

    def close(self, stream: Stream) -> None:
        """Listen no longer."""
        self._trades.close(stream.symbol)
        self._running.pop(stream.symbol, None)
        del self._streams[stream.symbol]

    async def first(self, stream: Stream) -> Make | None:  # noqa: ARG002
        """None: the stream begins with the next whole second."""
        return None

    def tick(self) -> None:
        """Publish the seconds of minutes that are over."""
        published: list[Message] = []
        for symbol, stream in self._streams.items():
            if self._view.status(symbol).quality is not DataQuality.COMPLETE:
                continue  # the exchange's time may not be known yet
            running = self._second(symbol)
            if running is not None:
                over_ms = bucket_start(self._view.shown_ms(symbol), 1)
                published += (self._message(stream, shown) for shown in running.go_on(over_ms))
        self._fan.publish(published)

    def _take(self, batch: Mapping[str, list[Trade]]) -> None:
        published: list[Message] = []
        for symbol, trades in batch.items():
            stream, running = self._streams[symbol], self._second(symbol)
            if running is None:
                continue
            for trade in trades:
                published += (self._message(stream, shown) for shown in running.take(trade))
            if running.shown.candle.aggregates:
                published.append(self._message(stream, running.shown))
        self._fan.publish(published)

    def _second(self, symbol: str) -> Second | None:
        """The running second; the first one begins with the next whole second."""
        last = self._view.last_trade(symbol)
        if symbol not in self._running and last is not None:
            newest = max(last.timestamp, self._clock.now_ms())
            start = newest // SECOND_MS * SECOND_MS + SECOND_MS
            self._running[symbol] = Second(start, last.price)
        return self._running.get(symbol)

    def _message(self, stream: Stream, shown: Shown) -> Message:
        candle, is_closed = shown
        make = partial(
            messages.kline,
            stream,
            candle,
            candle.candle_time + SECOND_MS,
            self._clock.now_ms(),
            is_closed=is_closed,
        )
        return Message(stream, make, (candle.candle_time, is_closed))
