"""Feeds the streams: sends the trades that are due, in one write per client and tick."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import orjson

from simulator import klines, wire
from simulator.book import quote
from simulator.clock import Clock
from simulator.faults import Faults, Spoiler
from simulator.lies import Lies
from simulator.market import Market
from simulator.requests import FIGURES
from simulator.stream import Form, Hub
from simulator.ticker import Minutes
from simulator.trades import Trades, raw_trades

TICK_S: Final = 0.02
"""Pause between two ticks of a running clock."""

STEP: Final = 4096
"""About the most trades sent between two waits at full speed."""

LEAST_STEP: Final = 8
"""The fewest trades of each symbol between two waits, for any number of symbols."""

BACKLOG_BYTES: Final = 1 << 20
"""The unread bytes of a client at which a feed at full speed waits."""

FIGURES_PAUSE_S: Final = 1.0
"""Pause between two messages of a stream of klines or tickers."""

_ZONE_MS: Final = 8 * 3_600_000
"""The one zone in which klines are streamed."""

GARBAGE: Final = wire.frame(b"\xff%$ no JSON", wire.OP_BINARY)
"""A frame that is no message of any stream."""

_FIRST_LOOK: Final = 16
_LONGEST_LOOK: Final = 8192
_LOOK_S: Final = 5.0
"""About how long prepared trades should last."""


class _Ahead:
    """The next trades of a symbol, encoded and framed before they are due."""

    def __init__(self, symbol: str, trades: Trades) -> None:
        self.trades = trades
        self.times = np.maximum.accumulate(trades.time_us)
        self.at = 0
        self.due_us = int(self.times[0])
        """The time of the next trade."""
        self._symbol = symbol
        self._texts: list[str] | None = None
        self._framed: dict[Form, tuple[bytes, list[int]]] = {}

    def advance(self, to: int) -> bool:
        """Go on to a later trade; return whether there is one left."""
        self.at = to
        if to == len(self.times):
            return False
        self.due_us = int(self.times[to])
        return True

    def texts(self, start: int, stop: int) -> list[str]:
        """Return the data of messages."""
        if self._texts is None:
            self._texts = wire.events(self._symbol, self.trades)
        return self._texts[start:stop]

    def framed(self, stream: str, form: Form, start: int, stop: int) -> bytes:
        """Return framed messages of a stream in a connection's form."""
        if form not in self._framed:
            self._framed[form] = wire.frames(form.write(stream, self.texts(0, len(self.trades))))
        data, offsets = self._framed[form]
        return data[offsets[start] : offsets[stop]]


class SymbolFeed:
    """The streams of one symbol."""

    def __init__(
        self,
        market: Market,
        hub: Hub,
        counts: Counter[str],
        lies: Lies,
        minutes: Minutes,
        markets: Mapping[str, Market],
    ) -> None:
        """`markets` are those whose symbols may replace a message's own."""
        self.market = market
        self.sent = 0
        """Trades sent so far, corrupted and dropped ones included."""
        self.last_id: int | None = None
        """The id of the last trade sent."""
        self._hub = hub
        self._counts = counts
        self._lies = lies
        self._minutes = minutes
        self._markets = markets
        self.name = market.symbol.lower()
        """The symbol as streams are named by it."""
        self._trade_stream = f"{self.name}@aggTrade"
        self._raw_stream = f"{self.name}@trade"
        self._book_stream = f"{self.name}@bookTicker"
        self._running: dict[str, klines.Running] = {}
        self._ahead: _Ahead | None = None
        self._next_id: int | None = None
        self._look = _FIRST_LOOK
        self._looked_at = 0.0
        self._figures_us = 0
        self._spoiler: Spoiler | None = None

    def set_faults(self, faults: Faults) -> None:
        """Change the faults."""
        if self._spoiler is not None:
            self._hub.publish(self._trade_stream, self._spoiler.release())
            self._spoiler = None
        if faults.spoil_messages:
            others = [symbol for symbol in self._markets if symbol != self.market.symbol]
            self._spoiler = Spoiler(self.market.symbol, faults, self._counts, others)

    def forget_ahead(self) -> None:
        """Discard the prepared trades, because the market's trades have changed."""
        if self._ahead is not None:
            self._next_id = int(self._ahead.trades.ids[self._ahead.at])
        self._ahead = None

    @property
    def wanted(self) -> bool:
        """Whether the trades or the quotes have a subscriber."""
        streams = (self._trade_stream, self._raw_stream, self._book_stream)
        return any(map(self._hub.subscribers, streams))

    def start(self, now_us: int) -> None:
        """Start with the first trade after now, unless the feed is running."""
        if self._next_id is None:
            self._next_id = self.market.source.last_id(now_us) + 1

    def stop(self) -> None:
        """Stop without subscribers; trades are not kept for later."""
        self._next_id, self._ahead = None, None

    def time_ahead(self, count: int) -> int | None:
        """Return the time of the trade `count` places ahead (or of the last), in microseconds."""
        ahead = self._refill()
        if ahead is None:
            return None
        return int(ahead.times[min(ahead.at + count, len(ahead.times)) - 1])

    def tick(self, now_us: int) -> None:
        """Queue all trades that are due."""
        while (ahead := self._refill()) is not None and ahead.due_us <= now_us:
            stop = int(np.searchsorted(ahead.times, now_us, side="right"))
            self._send(ahead, ahead.at, stop)
            if not ahead.advance(stop):
                self._ahead = None
        if self._spoiler is not None:
            late = self._spoiler.overdue(time.monotonic())
            if late:
                self._hub.publish(self._trade_stream, late)

    def tick_figures(self, kinds: Iterable[str], now_us: int) -> None:
        """Queue the newest klines and tickers of these kinds of streams.

        After the end of the trading they come once.
        """
        if self._figures_us > self.market.trading(now_us):
            return
        self._figures_us = now_us
        wanted = [(kind, match) for kind in kinds if (match := FIGURES.fullmatch(kind))]
        running = self._running
        self._running = {kind: running[kind] for kind, _ in wanted if kind in running}
        for kind, match in wanted:
            stream, now_ms = f"{self.name}@{kind}", now_us // 1000
            if interval := match["interval"]:
                frame = klines.Frame(interval, _ZONE_MS if match["zone"] else 0)
                of_kind = self._running.setdefault(kind, klines.Running(self.market, frame))
                for kline in of_kind.update(now_us):
                    self._hub.publish(stream, [kline.event(self.market.symbol, interval, now_ms)])
            elif ticker := self._minutes.next_ticker(now_us):
                is_full = kind == "ticker"
                event = ticker.event(self.market, now_ms) if is_full else ticker.mini_event(now_ms)
                self._hub.publish(stream, [orjson.dumps(event).decode()])

    def _refill(self) -> _Ahead | None:
        if self._ahead is not None:
            return self._ahead
        if self._next_id is None:
            return None
        trades = self.market.slice(self._next_id, self._look)
        if not len(trades):
            return None
        # The faster the trades are consumed, the larger the next refill.
        if time.monotonic() < self._looked_at + _LOOK_S:
            self._look = min(self._look * 2, _LONGEST_LOOK)
        self._looked_at = time.monotonic()
        self._next_id = int(trades.ids[-1]) + 1
        self._ahead = _Ahead(self.market.symbol, trades)
        return self._ahead

    def _send(self, ahead: _Ahead, start: int, stop: int) -> None:
        count = stop - start
        self.sent += count
        self.last_id = int(ahead.trades.ids[stop - 1])
        subscribers = self._hub.subscribers(self._trade_stream)
        symbol, ids = self.market.symbol, ahead.trades.ids[start:stop]
        if self._spoiler is not None or self._lies.touches(symbol):
            messages = self._lies.texts(symbol, ids.tolist(), ahead.texts(start, stop))
            if self._spoiler is not None:
                messages = self._spoiler.spoil(ids, messages, time.monotonic())
                for connection in subscribers:
                    for _ in range(self._spoiler.garbage):
                        connection.put(GARBAGE)
                self._spoiler.garbage = 0
            self._hub.publish(self._trade_stream, messages)
        else:
            for connection in subscribers:
                framed = ahead.framed(self._trade_stream, connection.form, start, stop)
                connection.put(framed, count)
        if self._hub.subscribers(self._raw_stream):
            raw = raw_trades(ahead.trades[start:stop])
            self._hub.publish(self._raw_stream, [wire.raw_event(symbol, each) for each in raw])
        if self._hub.subscribers(self._book_stream):
            self._send_quote(ahead.trades[start:stop])

    def _send_quote(self, trades: Trades) -> None:
        trades = trades[~trades.tombstones]
        if len(trades):
            made = quote(
                self.market,
                int(trades.ids[-1]),
                int(trades.price[-1]),
                int(trades.quantity[-1]),
                buyer_maker=bool(trades.buyer_maker[-1]),
            )
            self._hub.publish(self._book_stream, [made.event(self.market.symbol)])


class Feed:
    """The streams of all symbols, driven by the clock or, at full speed, driving the clock."""

    def __init__(
        self,
        markets: Mapping[str, Market],
        clock: Clock,
        hub: Hub,
        lies: Lies,
        minutes: Mapping[str, Minutes],
        *,
        wait_for: int = 0,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.faults = Faults()
        self._clock = clock
        self._hub = hub
        self._wait_for = wait_for
        self._begun = False
        self._figures_due = 0.0
        self._lies = lies
        self._markets = markets
        self._symbols: dict[str, SymbolFeed] = {}
        for symbol, market in markets.items():
            self.add(market, minutes[symbol])

    def add(self, market: Market, minutes: Minutes) -> SymbolFeed:
        """Feed the streams of one more symbol."""
        symbol = SymbolFeed(market, self._hub, self.counts, self._lies, minutes, self._markets)
        symbol.set_faults(self.faults)
        self._symbols[market.symbol] = symbol
        return symbol

    def remove(self, symbol: str) -> None:
        """Feed the streams of a symbol no longer; who subscribed to them gets nothing."""
        del self._symbols[symbol]

    def set_faults(self, faults: Faults) -> None:
        """Change the faults of all streams and connections."""
        self.faults = faults
        for symbol in self._symbols.values():
            symbol.set_faults(faults)
        self._hub.cut_every = faults.cut_every
        for connection in self._hub.connections:
            self._hub.set_cut(connection)

    def __getitem__(self, symbol: str) -> SymbolFeed:
        return self._symbols[symbol]

    async def run(self) -> None:
        """Feed until cancelled."""
        while True:
            waits = not self._begun or self._clock.driven
            if waits and len(self._hub.streams) < self._wait_for:
                await asyncio.sleep(TICK_S)
                continue
            if not self._begun:
                self._begin()
            if self._clock.driven and not self._clock.held:
                await self._step()
            else:
                self._tick(self._clock.now())
                await asyncio.sleep(TICK_S)

    def _begin(self) -> None:
        """Start the clock. Earlier subscribers get every trade after it."""
        self._begun = True
        for symbol in self._symbols.values():
            if symbol.wanted:
                symbol.start(self._clock.now())
        if self._wait_for:
            self._clock.release()

    async def _step(self) -> None:
        """Move a driven clock on by about STEP trades, then wait for clients."""
        now, ends = self._clock.now(), []
        wanted = [symbol for symbol in self._symbols.values() if symbol.wanted]
        step = max(LEAST_STEP, STEP // max(1, len(wanted)))
        if self.faults.cut_every:  # short steps cut connections close to their limit
            step = min(step, max(1, self.faults.cut_every // 4))
        for symbol in wanted:
            symbol.start(now)
            ahead = symbol.time_ahead(step)
            if ahead is not None:
                ends.append(ahead)
        end = self._clock.end_us
        if end is not None:
            self._clock.advance(max(min(ends, default=end), now))
        self._tick(self._clock.now())
        await asyncio.sleep(0)
        while self._hub.behind(BACKLOG_BYTES):  # noqa: ASYNC110  buffers have no event
            await asyncio.sleep(0.001)

    def _tick(self, now_us: int) -> None:
        for symbol in self._symbols.values():
            if symbol.wanted:
                symbol.start(now_us)
                symbol.tick(now_us)
            else:
                symbol.stop()
        if time.monotonic() >= self._figures_due:
            self._figures_due = time.monotonic() + FIGURES_PAUSE_S
            kinds: dict[str, list[str]] = {}
            for name, _, kind in (stream.partition("@") for stream in self._hub.streams):
                kinds.setdefault(name, []).append(kind)
            for feed in self._symbols.values():
                feed.tick_figures(kinds.get(feed.name, ()), now_us)
        self._hub.flush()
