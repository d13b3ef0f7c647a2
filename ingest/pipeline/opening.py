"""Opens feeds a few at a time, those that are watched first; each is tried until it succeeds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from ingest.binance.clock import ExchangeClock
from ingest.binance.rest import BinanceRest
from ingest.binance.trades import TradeStream
from ingest.core.errors import ExchangeError, NotListed, StoreUnavailable
from ingest.storage import AsyncStore

from .activate import activate, activate_ended
from .feed import Feed
from .listing import Listing
from .turns import Turns

AT_ONCE = 8
"""So many symbols at a time are activated, so that the first are done long before the last."""
RETRY_SECONDS = 2.0

log = logging.getLogger(__name__)


class Opening:
    """The way of each feed from its symbol's listing to trades that are taken in."""

    def __init__(
        self,
        listing: Listing,
        stream: TradeStream,
        store: AsyncStore,
        rest: BinanceRest,
        clock: ExchangeClock,
        watermark_lock: asyncio.Lock,
        history_ms: int,
        is_watched: Callable[[str], bool],
    ) -> None:
        """`history_ms` is downloaded of each symbol."""
        self._listing = listing
        self._stream = stream
        self._store = store
        self._rest = rest
        self._clock = clock
        self._watermark_lock = watermark_lock
        self._history_ms = history_ms
        self._turns = Turns(AT_ONCE, is_watched)

    async def open(self, feed: Feed) -> None:
        """Open a feed; tried again until it succeeds."""
        while True:
            try:
                await self._listing.require(feed.symbol)
                self._stream.add([feed.symbol])
                async with self._turns.turn(feed.symbol):
                    await self._activate(feed)
                break
            except NotListed:
                await self._keep(feed)
                await self._listing.answered()
            except (ExchangeError, StoreUnavailable) as error:
                log.warning(
                    "%s cannot be activated yet: %s",
                    feed.symbol,
                    error,
                    extra={"symbol": feed.symbol},
                )
                await asyncio.sleep(RETRY_SECONDS)

    async def _keep(self, feed: Feed) -> None:
        """Open the feed of a symbol that the exchange has no longer on what the store holds."""
        if not feed.state.is_open and feed.symbol in self._store.trades.symbols:
            self._stream.add([feed.symbol])
            try:
                await activate_ended(feed, self._store, self._clock, self._watermark_lock)
            except StoreUnavailable as error:
                log.warning(
                    "%s cannot be opened yet: %s", feed.symbol, error, extra={"symbol": feed.symbol}
                )

    async def _activate(self, feed: Feed) -> None:
        store, torn_parts = self._store, -1
        while torn_parts != len(store.store.torn_parts):
            # One that was found meanwhile may have held ids that were counted before.
            feed.close()
            torn_parts = len(store.store.torn_parts)
            await activate(
                feed, store, self._rest, self._clock, self._watermark_lock, self._history_ms
            )
