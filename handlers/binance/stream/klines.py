"""The streams `kline_<interval>`: candles as they change."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from handlers.binance.stream import messages
from handlers.binance.stream.fan import Fan, Make, Message
from handlers.binance.stream.names import Stream
from handlers.binance.stream.running import Running, Shown
from ingest.binance.clock import ExchangeClock
from ingest.core.candle import Candle
from ingest.core.errors import CandlecastError
from ingest.core.paging import Bounds
from ingest.pipeline.changes import Changes
from ingest.pipeline.pair import Pair
from ingest.pipeline.view import MarketView

log = logging.getLogger(__name__)


class KlineStreams:
    """Publishes the candles that change; `tick` has to be called once a second."""

    def __init__(self, view: MarketView, clock: ExchangeClock, fan: Fan) -> None:
        self._view = view
        self._clock = clock
        self._fan = fan
        self._changes = Changes(view, self._changed)
        self.tick = self._changes.tick
        self._running: defaultdict[Pair, dict[Stream, Running]] = defaultdict(dict)
        """The streams that each followed pair is the base of."""
        self._reading: dict[Stream, asyncio.Task[None]] = {}
        view.on_complete.append(self._complete)

    def open(self, stream: Stream) -> None:
        """Follow the candles that the stream's are made of."""
        pair = _base(stream)
        if pair not in self._running:
            self._changes.open(pair)
        self._running[pair][stream] = Running(stream.bucket)

    def close(self, stream: Stream) -> None:
        """Follow them no longer, unless another stream is made of them."""
        pair = _base(stream)
        del self._running[pair][stream]
        if not self._running[pair]:
            del self._running[pair]
            self._changes.close(pair)
        if (reading := self._reading.pop(stream, None)) is not None:
            reading.cancel()

    async def first(self, stream: Stream) -> Make | None:
        """The candle as it is now; None while the data is not complete."""
        pair = _base(stream)
        await self._changes.ready(pair)
        running = self._running[pair].get(stream)
        if running is None:
            return None
        if running.whole is None:
            await self._read(stream, running)
        whole = running.whole
        return None if whole is None else self._make(stream, Shown(whole, is_closed=False))

    def _changed(self, pair: Pair, candles: Sequence[Candle]) -> None:
        published: list[Message] = []
        for stream, running in self._running[pair].items():
            for shown in running.take(candles):
                key = shown.candle.candle_time, shown.is_closed
                published.append(Message(stream, self._make(stream, shown), key))
            if running.whole is None:
                self._read_later(stream, running)
        self._fan.publish(published)

    def _make(self, stream: Stream, shown: Shown) -> Make:
        candle, is_closed = shown
        end_ms = stream.bucket.after(candle.candle_time)
        return partial(
            messages.kline, stream, candle, end_ms, self._clock.now_ms(), is_closed=is_closed
        )

    def _complete(self, symbol: str) -> None:
        for pair, streams in self._running.items():
            if pair.symbol == symbol:
                for stream, running in streams.items():
                    if running.whole is None:
                        self._read_later(stream, running)

    def _read_later(self, stream: Stream, running: Running) -> None:
        """Read the parts of the open bucket, once at a time, and publish the candle."""

        async def read() -> None:
            try:
                await self._read(stream, running)
                if (whole := running.whole) is not None:
                    shown = Shown(whole, is_closed=False)
                    self._fan.publish([Message(stream, self._make(stream, shown))])
            finally:
                self._reading.pop(stream, None)

        if stream not in self._reading:
            self._reading[stream] = asyncio.create_task(read(), name=f"read {stream.name}")

    async def _read(self, stream: Stream, running: Running) -> None:
        """Read the parts of the open bucket; they stay as they are while they cannot be read."""
        interval, symbol = stream.bucket, stream.symbol
        try:
            start = interval.start(self._view.newest_ms(symbol))
            pair, most = Pair(symbol, interval.base), interval.most_base_buckets
            running.restart(await self._view.candles(pair, 2 * most, Bounds(start)))
        except CandlecastError as error:
            log.debug("The parts of %s cannot be read: %s", stream.name, error)


def _base(stream: Stream) -> Pair:
    return Pair(stream.symbol, stream.bucket.base)
