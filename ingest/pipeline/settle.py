"""Settles trades in the store: inserts them, recomputes their minutes, moves the watermark.

One cycle serves all symbols with one insert and one recomputation. The store is never asked to
add anything up: a touched minute is recomputed whole from the stored trades, so a cycle that is
repeated after a failure changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from itertools import islice

from ingest.binance.clock import ExchangeClock
from ingest.core.timeframe import MINUTE_MS

from .feed import Feed
from .frames import Frames
from .hot import Hot
from .malformed import MalformedMessages
from .retry import Retry

CYCLE_SECONDS = 0.25
CLOSED_AT_ONCE = 100
"""Symbols whose ended buckets are written together."""
CLOSE_DELAY_MS = 2000
"""How long after its end a minute is settled: trades of it may still be on their way."""
LAST_SECONDS = 5.0
"""At the end, how long a store that does not answer is waited for."""

log = logging.getLogger(__name__)


class Settler:
    """Moves what the feeds took in to the store, for all symbols together."""

    def __init__(
        self,
        retry: Retry,
        malformed: MalformedMessages,
        clock: ExchangeClock,
        feeds: Mapping[str, Feed],
        on_complete: Callable[[Feed], None],
        hot: Hot,
    ) -> None:
        """`on_complete` is called whenever a symbol's data has become complete."""
        self._hot = hot
        self._store = retry.store
        self._retry = retry
        self._malformed = malformed
        self._frames = Frames(retry)
        self._clock = clock
        self._feeds = feeds
        self._on_complete = on_complete
        self.watermark_lock = asyncio.Lock()
        """Held while a watermark moves: a reader of store and live candles together takes it."""
        self.between_cycles = asyncio.Lock()
        """Held during a cycle: whoever takes it finds no trades on their way to the store."""
        self._ended: dict[str, int] = {}
        """By symbol, the time until which ended buckets are to be written."""
        self._has_ended = asyncio.Event()

    async def run(self) -> None:
        """Settle until cancelled."""
        while True:
            async with self.between_cycles:
                await self.cycle()
            await asyncio.sleep(CYCLE_SECONDS)

    async def close(self) -> None:
        """Write the buckets that have ended, off the way of the trades, until cancelled."""
        while True:
            await self._has_ended.wait()
            self._has_ended.clear()
            while self._ended:
                symbols = list(islice(self._ended, CLOSED_AT_ONCE))
                until = {symbol: self._ended.pop(symbol) for symbol in symbols}
                await self._retry(self._store.candles.close, until)

    async def cycle(self) -> None:
        """Store all that waits, and settle the minutes that are over."""
        now_ms = self._clock.now_ms() - CLOSE_DELAY_MS
        feeds = [feed for feed in self._feeds.values() if not feed.is_settled(now_ms)]
        taken = {feed.symbol: feed.take() for feed in feeds}
        batch = {symbol: trades for symbol, (trades, _) in taken.items() if trades}
        if batch:
            await self._retry(self._store.trades.insert, batch)
            for symbol, trades in batch.items():
                self._hot.add_trades(symbol, trades)
                self._feeds[symbol].stored()
        over_ms = self._clock.now_ms() - CLOSE_DELAY_MS
        # Fixed for the whole cycle: what ends during it has not been recomputed.
        close_ms = {feed.symbol: feed.shown_ms(over_ms) for feed in feeds}
        async with self.watermark_lock:
            ends = {feed.symbol: feed.settled_until(close_ms[feed.symbol]) for feed in feeds}
            touched = await self._retry(self._store.candles.unsettled, ends)
            earliest = {symbol: spans[0][0] for symbol, spans in touched.items()}
            for feed in feeds:
                end = ends[feed.symbol]
                minutes = {minute for minute in feed.live.minutes if minute < end}
                if end > feed.live.watermark:
                    minutes.add(end - MINUTE_MS)  # quiet or not: the store learns what has ended
                if minutes:
                    touched[feed.symbol] = [*touched.get(feed.symbol, ()), *_spans(minutes)]
            if touched:
                await self._retry(self._store.candles.recompute, touched, close=False)
                self._ended |= {feed.symbol: ends[feed.symbol] for feed in feeds}
                self._has_ended.set()
            for feed in feeds:
                late_from = taken[feed.symbol][1]
                unsettled = earliest.get(feed.symbol, feed.live.watermark)
                if unsettled < feed.live.watermark:
                    late_from = unsettled if late_from is None else min(late_from, unsettled)
                await self._advance(feed, close_ms[feed.symbol], late_from)
        await self._malformed.flush()

    async def store_rest(self) -> None:
        """Store what is left when all has stopped; the next start settles it.

        What a store that is away does not take, the next start fetches from the exchange.
        """
        batch = {s: trades for s, feed in self._feeds.items() if (trades := feed.take()[0])}
        try:
            async with asyncio.timeout(LAST_SECONDS):
                if batch:
                    await self._retry(self._store.trades.insert, batch)
                await self._malformed.flush()
        except TimeoutError:
            count = sum(map(len, batch.values()))
            log.warning("The store is away: %d trades are left to be fetched again", count)

    async def _advance(self, feed: Feed, close_ms: int, late_from: int | None) -> None:
        until = feed.settled_until(close_ms)
        if until > feed.live.watermark:
            feed.live.advance(until)
        if late_from is not None:
            if feed.is_whole:
                await self._frames.correct(feed, late_from)
            else:
                feed.state.late(late_from)
        if feed.complete():
            self._on_complete(feed)


def _spans(minutes: Iterable[int]) -> list[tuple[int, int]]:
    """Neighbouring minutes as spans of time, the end exclusive."""
    spans: list[tuple[int, int]] = []
    for minute in sorted(minutes):
        if spans and spans[-1][1] == minute:
            spans[-1] = (spans[-1][0], minute + MINUTE_MS)
        else:
            spans.append((minute, minute + MINUTE_MS))
    return spans
