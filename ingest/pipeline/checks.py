"""Asks the exchange for the newest trade of each symbol that may have one which is not here."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from ingest.binance.answers import NO_SUCH_SYMBOL
from ingest.binance.clock import ExchangeClock
from ingest.binance.now import now_s
from ingest.binance.rest import WEIGHT_AGG_TRADES, BinanceRest
from ingest.binance.weight import WINDOW_S, Priority, WeightCoordinator
from ingest.core.errors import ExchangeError, RequestRefused
from ingest.core.timeframe import bucket_start

from .feed import Feed
from .newest import newest_trade

CYCLE_SECONDS = 0.25
QUIET_SECONDS = 15.0
"""A symbol that was quiet for so long is asked after: its newest trade may have been lost. With
more symbols than the share of the weight allows it is longer."""
AT_ONCE = 8
SHORTEST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 8.0
"""From one check of a symbol to the next: the shortest, and the longest when doubts go on."""
WEIGHT_SHARE = 0.25
"""The part of the request weight that may be spent on asking after quiet symbols, at the end of
each minute or whenever they were quiet for long."""

log = logging.getLogger(__name__)


class _Pause(NamedTuple):
    """How long a symbol is not asked after, and until when (monotonic seconds)."""

    seconds: float = 0.0
    until: float = 0.0

    def after(self, now: float, *, in_doubt: bool) -> _Pause:
        """The pause after one more check: longer when a doubt comes soon after the last."""
        seconds = SHORTEST_PAUSE_SECONDS
        if in_doubt and now <= self.until + LONGEST_PAUSE_SECONDS:
            seconds = min(max(self.seconds * 2, seconds), LONGEST_PAUSE_SECONDS)
        return _Pause(seconds, now + seconds)


class Checks:
    """Checks of all followed symbols, each when it is due."""

    def __init__(
        self,
        feeds: Mapping[str, Feed],
        rest: BinanceRest,
        weight: WeightCoordinator,
        clock: ExchangeClock,
    ) -> None:
        self._feeds = feeds
        self._rest = rest
        self._weight = weight
        self._clock = clock
        self._pauses: defaultdict[str, _Pause] = defaultdict(_Pause)
        self._heard: defaultdict[str, float] = defaultdict(float)

    def heard(self, symbol: str) -> None:
        """A trade of this symbol has come over the stream."""
        self._heard[symbol] = now_s()

    @property
    def minutes_a_round(self) -> float:
        """How many minutes it takes to check each symbol once, within the share of the weight."""
        weight = self._weight.limit * WEIGHT_SHARE
        return len(self._feeds) * WEIGHT_AGG_TRADES / weight

    async def run(self) -> None:
        """Check until cancelled."""
        while True:
            due = self._due(now_s())
            await asyncio.gather(*map(self._check_or_warn, due[:AT_ONCE]))
            if len(due) <= AT_ONCE:
                await asyncio.sleep(CYCLE_SECONDS)

    def _due(self, now: float) -> list[Feed]:
        """The symbols that are in doubt, at the end of a minute, or have long been quiet.

        Those in doubt come first, those that are watched before others, and those that have long
        been quiet before those of which a trade may soon settle the doubt.
        """
        now_ms = self._clock.now_ms()
        minute_ms = bucket_start(now_ms, 1)
        quiet = max(QUIET_SECONDS, self.minutes_a_round * WINDOW_S)
        due = []
        for symbol, feed in self._feeds.items():
            state = feed.state
            if not (state.is_connected and state.is_open) or now < self._pauses[symbol].until:
                continue
            is_quiet = now - self._heard[symbol] > quiet
            had_trade = feed.live.newest_ms >= minute_ms  # then no minute waits for its end
            is_over = had_trade or feed.shown_ms(now_ms) >= now_ms
            if is_quiet or not state.is_verified or not is_over:
                due.append(feed)
        due.sort(key=lambda f: (f.state.is_verified, not f.live.frames, self._heard[f.symbol]))
        return due

    async def _check_or_warn(self, feed: Feed) -> None:
        symbol, in_doubt = feed.symbol, not feed.state.is_verified
        self._pauses[symbol] = self._pauses[symbol].after(now_s(), in_doubt=in_doubt)
        try:
            await self.check(feed)
        except ExchangeError as error:
            log.warning(
                "%s: its newest trade is not known: %s", symbol, error, extra={"symbol": symbol}
            )

    async def check(self, feed: Feed, priority: Priority = Priority.GAP) -> None:
        """Ask for the newest trade of one symbol; raises ExchangeError."""
        asked = feed.asking(self._clock.now_ms())
        try:
            newest = await newest_trade(self._rest, feed.symbol, asked.high_water, priority)
        except RequestRefused as refusal:
            if not feed.state.is_ended or refusal.code != NO_SUCH_SYMBOL:
                raise
            if asked.doubts == feed.state.doubts:
                feed.state.settle()  # it is gone still: there is no newer trade
            return
        first_id = None
        if feed.continuity is None and newest is not None:
            page = await self._rest.agg_trades(feed.symbol, from_id=0, limit=1, priority=priority)
            first_id = page.first_id
        feed.verify(first_id, newest, asked, self._clock.now_ms())
        self._heard[feed.symbol] = now_s()
