"""The provider: every followed symbol, from the exchange to whoever reads or watches."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Coroutine, Sequence
from contextlib import suppress
from functools import partial

from ingest.binance.clock import ExchangeClock
from ingest.binance.network import Network
from ingest.binance.now import host_ms
from ingest.binance.page import Malformed
from ingest.binance.rest import BinanceRest
from ingest.binance.trades import TradeStream
from ingest.binance.weight import Priority, WeightCoordinator
from ingest.core.errors import (
    ExchangeError,
    NotReady,
)
from ingest.core.missing import CONFIRM_SECONDS
from ingest.core.symbol import Symbols
from ingest.core.trade import Trade
from ingest.storage import AsyncStore, Store

from .beside import Beside
from .checks import Checks
from .completeness import Completeness
from .days import Days
from .downloads import Downloads
from .expiry import Expiry, Kept
from .feed import Feed
from .following import MAX_FOLLOWED, Following
from .hot import Hot
from .listing import Listing
from .malformed import MalformedMessages
from .materialize import IDLE_SECONDS, MAX_MATERIALIZED, Materializer
from .opening import Opening
from .quotes import Quotes
from .refill import Refill
from .retry import Retry
from .settle import Settler
from .shared_call import SharedCall
from .view import MarketView
from .watches import Watches

SYNCHRONIZE_EVERY_SECONDS = 5.0
"""From one synchronization by hand to the next; those who ask in between share the next."""
SYNCHRONIZE_SECONDS = 15.0
"""How long one that asks for a synchronization waits for it."""
MALFORMED_A_WARNING = 100
"""Malformed messages from one warning of them to the next; the store keeps each."""

NAMED = 8
"""Symbols that a line of the log names at most."""

WITNESSES = 3
"""Symbols whose newest trade is held against the first time of the exchange."""

log = logging.getLogger(__name__)


class Provider:
    """All followed symbols, the store and the exchange, joined.

    `run` does the work until it is cancelled; everything else may be called while it runs.
    """

    def __init__(
        self,
        store: Store,
        rest_url: str,
        stream_url: str,
        symbols: Symbols,
        history_ms: int,
        kept: Kept | None = None,
        confirm_seconds: float = CONFIRM_SECONDS,
        max_materialized: int = MAX_MATERIALIZED,
        materialized_idle_seconds: float = IDLE_SECONDS,
        max_symbols: int = MAX_FOLLOWED,
        network: Network | None = None,
        host_ms: Callable[[], int] = host_ms,
    ) -> None:
        """`history_ms` is downloaded of each symbol; what is `kept` is for ever if not said.

        Ids count as absent when the exchange has passed over them for `confirm_seconds`. So many
        timeframes at most are materialized, and each until nobody has watched it for so long; so
        many symbols at most are followed.
        `network` reaches the exchange; `host_ms` is this machine's time.
        """
        self.store = store
        self.weight = WeightCoordinator(is_first=self._is_watched)
        self.rest = BinanceRest(rest_url, self.weight, network=network)
        self.clock = ExchangeClock(
            self.rest.server_time,
            on_reset=self._on_reset,
            newest_trade_ms=self._newest_trade_ms,
            host_ms=host_ms,
        )
        self.stream = TradeStream(stream_url, self, network=network)
        self.quotes = Quotes(stream_url, self.rest, self.clock, network)
        self.feeds: dict[str, Feed] = {name: self._new_feed(name) for name in symbols.names}
        """The symbols that are followed."""
        self._ended: dict[str, Feed] = {}
        """Those that are followed no longer; somebody may still be subscribed to them."""
        self._tasks: defaultdict[str, set[asyncio.Task[None]]] = defaultdict(set)
        """Those that open and refill each symbol."""
        self.listing = Listing(self.rest, symbols, self.feeds.keys())
        self._calls = AsyncStore(store)
        self.retry = Retry(self._calls)
        self._malformed = MalformedMessages(self.retry)
        hot = Hot(self._calls)
        self._settler = Settler(
            self.retry, self._malformed, self.clock, self.feeds, self._when_complete, hot
        )
        self.beside = Beside(self.feeds, self.retry, self.rest, self.clock, self._settler)
        """For work on the store beside the feeds."""
        self._materializer = Materializer(self.retry, max_materialized, materialized_idle_seconds)
        self._expiry = Expiry(self.retry, self._settler, self.clock, kept or Kept())
        watches = Watches(self.retry, self._settler.watermark_lock, self.clock, self._materializer)
        self.downloads = Downloads(self.feeds)
        self.days = Days(self.feeds, self._calls, self.clock, self._settler.watermark_lock)
        self.view = MarketView(self.feeds, self._ended, self.retry, self.clock, watches, hot)
        self._confirm_seconds = confirm_seconds
        self._checks = Checks(self.feeds, self.rest, self.weight, self.clock)
        self._opening = Opening(
            self.listing,
            self.stream,
            self._calls,
            self.rest,
            self.clock,
            self._settler.watermark_lock,
            history_ms,
            self._is_watched,
        )
        self.following = Following(
            symbols, self.listing, self.rest, self.retry, self.feeds, self, max_symbols
        )
        self._malformed_count = 0
        self._group: asyncio.TaskGroup | None = None
        self._synchronization = SharedCall(self._synchronize, SYNCHRONIZE_EVERY_SECONDS)

    async def run(self) -> None:
        """Follow all symbols until cancelled; what was taken in by then is stored."""
        loop = asyncio.get_running_loop()
        self.store.on_torn = lambda _: loop.call_soon_threadsafe(self._reopen_where, lambda _: True)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.clock.run(), name="clock")
                await self.clock.ready()
                await self.following.begin()
                self._group = group
                group.create_task(self._settler.run(), name="settler")
                group.create_task(self._settler.close(), name="close")
                group.create_task(self._checks.run(), name="checks")
                group.create_task(self.downloads.run(), name="downloads")
                group.create_task(Completeness(self.feeds).run(), name="completeness")
                group.create_task(self._expiry.run(self.feeds), name="expiry")
                group.create_task(self._materializer.run(), name="materializer")
                for feed in self.feeds.values():
                    self.resume(feed)
                group.create_task(self.following.run(), name="following")
        finally:
            self.store.on_torn = lambda _: None
            await self.stream.close()
            await self.quotes.close()
            await self.rest.close()
            await self._settler.store_rest()

    @property
    def open_gaps(self) -> int:
        """How many gaps are open, of all symbols together."""
        return sum(len(feed.continuity.gaps) for feed in self.feeds.values() if feed.continuity)

    async def synchronize(self) -> None:
        """Set the clock by the exchange's, and ask after the newest trade of every symbol.

        All that ask for it at a time share one run. Raises ExchangeError, or NotReady while the
        request weight is needed for what is missing.
        """
        try:
            async with asyncio.timeout(SYNCHRONIZE_SECONDS):
                await self._synchronization()
        except TimeoutError:
            raise NotReady(
                "The request weight is needed to fetch missing trades: ask again in a minute"
            ) from None

    async def _synchronize(self) -> None:
        await self.clock.synchronize()
        for feed in list(self.feeds.values()):
            if feed.symbol not in self.listing.absent:
                await self._checks.check(feed, Priority.REQUEST)

    async def _newest_trade_ms(self) -> int | None:
        """The time of the newest trade of some symbols; None when none is known."""
        times = []
        for symbol in list(self.feeds)[:WITNESSES]:
            with suppress(ExchangeError):
                newest = await self.rest.newest(symbol, priority=Priority.CLOCK)
                if newest is not None and newest.trade is not None:
                    times.append(newest.trade.timestamp)
        return max(times, default=None)

    def on_trades(self, symbol: str, trades: list[Trade]) -> None:
        """Trades of the stream, as they came."""
        feed = self.feeds[symbol]
        self.clock.witness(trades[-1].timestamp)
        if feed.state.is_ended:
            fields = {"symbol": symbol}
            log.warning("%s trades, though the exchange does not list it", symbol, extra=fields)
            self.listing.traded(symbol)
            feed.state.close()
            self.resume(feed)
            return
        feed.accept(trades, self.clock.latest_ms())
        self.clock.observe(feed.live.newest_ms)
        self._checks.heard(symbol)

    def on_connected(self, symbols: Sequence[str]) -> None:
        """The stream of these symbols is up."""
        log.info("The stream of %s is up", _named(symbols))
        for symbol in self.feeds.keys() & set(symbols):
            self.feeds[symbol].joined(self.clock.now_ms())

    def on_disconnected(self, symbols: Sequence[str], reason: str) -> None:
        """The stream of these symbols is down."""
        log.warning("The stream of %s is down: %s", _named(symbols), reason)
        for symbol in self.feeds.keys() & set(symbols):
            self.feeds[symbol].state.disconnect()

    def on_malformed(self, malformed: Malformed, symbols: Collection[str]) -> None:
        """A message that is no valid trade of these symbols: each is asked after over REST."""
        self._malformed_count += 1
        count = self._malformed_count
        if count == 1 or count % MALFORMED_A_WARNING == 0:
            log.warning("%d messages were not understood, now: %s", count, malformed.error)
        self._malformed.add(malformed.symbol or "", malformed.raw, str(malformed.error))
        for symbol in symbols:
            if symbol in self.feeds:
                known = malformed.aggregate_id if symbol == malformed.symbol else None
                self.feeds[symbol].doubt(known, self.clock.now_ms())

    def start(self, symbol: str) -> None:
        """Follow a symbol from now on."""
        self.feeds[symbol] = (
            self._ended.pop(symbol) if symbol in self._ended else self._new_feed(symbol)
        )
        self.resume(self.feeds[symbol])

    def resume(self, feed: Feed) -> None:
        """Open a feed, and fill its gaps for as long as it runs."""
        if self._group is not None:
            self._cancel(feed.symbol)
            self._work_on(feed.symbol, self._group, self._follow(feed))

    async def stop(self, symbol: str) -> None:
        """Follow a symbol no longer; what was taken in is stored."""
        self._cancel(symbol)
        self.stream.remove([symbol])
        async with self._settler.between_cycles:
            if self.feeds[symbol].waiting:
                await self._settler.cycle()
            feed = self._ended[symbol] = self.feeds.pop(symbol)
            feed.close()

    async def finish(self, feed: Feed) -> None:
        """Keep the data of a symbol that the exchange has no longer, until it has it again."""
        self._cancel(feed.symbol)
        async with self._settler.between_cycles:
            for gap in feed.continuity.gaps if feed.continuity is not None else ():
                await self.retry(self._calls.gaps.confirm, feed.symbol, *gap, 0)
            feed.end()

    def _cancel(self, symbol: str) -> None:
        for task in self._tasks.pop(symbol, ()):
            task.cancel()

    def _work_on(
        self, symbol: str, group: asyncio.TaskGroup, work: Coroutine[None, None, None]
    ) -> None:
        """Let work on a symbol run until it ends, or the symbol does."""
        task = group.create_task(work, name=f"follow {symbol}")
        self._tasks[symbol].add(task)
        task.add_done_callback(self._tasks[symbol].discard)

    def _new_feed(self, symbol: str) -> Feed:
        return Feed(symbol, partial(self._heard_ms, symbol))

    def _on_reset(self, now_ms: int) -> None:
        """Open anew what was opened by a clock that turned out to be ahead."""
        self._reopen_where(lambda feed: feed.live.watermark > now_ms)

    def _reopen_where(self, condition: Callable[[Feed], bool]) -> None:
        for feed in self.feeds.values():
            if self._group is not None and feed.state.is_open and condition(feed):
                feed.state.close()  # at once: to open it anew waits for a cycle to end
                self._work_on(feed.symbol, self._group, self._reopen(feed))

    async def _reopen(self, feed: Feed, remove_from: int | None = None) -> None:
        """Open a feed anew, without the trades from an id on where that is given."""
        async with self._settler.between_cycles:
            feed.close()
            if remove_from is not None:
                trades = self._calls.trades
                await self.retry(trades.remove_from, feed.symbol, remove_from)
        await self._opening.open(feed)

    async def _follow(self, feed: Feed) -> None:
        """Open a feed, then fill its gaps for as long as it runs."""
        await self._opening.open(feed)
        await Refill(
            feed,
            self.rest,
            self.retry,
            self._malformed,
            self.clock,
            self._confirm_seconds,
            self._reopen,
        ).run()

    def _heard_ms(self, symbol: str) -> int:
        """Time of the newest trade on the connection of a symbol, where that has to be enough
        to show that the stream is alive: with more symbols than can be checked each minute."""
        if self._checks.minutes_a_round <= 1:
            return 0
        return self.stream.heard_ms(symbol)

    def _is_watched(self, symbol: str) -> bool:
        """Whether anybody follows a symbol live."""
        feed = self.feeds.get(symbol)
        return feed is not None and bool(feed.live.frames)

    def _when_complete(self, feed: Feed) -> None:
        self.view.completed(feed.symbol)


def _named(symbols: Sequence[str]) -> str:
    """Some symbols in a few words."""
    if len(symbols) <= NAMED:
        return ", ".join(symbols)
    return f"{len(symbols)} symbols, such as {symbols[0]},"
