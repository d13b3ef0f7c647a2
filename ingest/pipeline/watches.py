"""Which timeframes are watched: followed live for as long as anybody does."""

from __future__ import annotations

import asyncio

from generated.native.facts import DataQuality
from ingest.binance.clock import ExchangeClock
from ingest.core.candle import Candle
from ingest.core.cursor import Cursor
from ingest.core.live import Frame
from ingest.core.status import DataStatus

from .feed import Feed
from .frames import Frames
from .materialize import Materializer
from .pair import Pair
from .retry import Retry

MAX_WATCHED = 5_000
"""Different (symbol, timeframe) pairs that may be watched at the same time."""

SHARE_WHEN_FULL = 10
"""Subscriptions that a client may have even then, so that many of one client lock out nobody."""


class Follower:
    """One consumer of the candles of a pair, with a cursor of its own."""

    def __init__(self, watches: Watches, feed: Feed, pair: Pair, cursor: Cursor) -> None:
        """Made by `MarketView.follow`."""
        self.pair = pair
        self.feed = feed
        self.cursor = cursor
        self._watches = watches

    @property
    def is_ready(self) -> bool:
        """Whether the pair is followed live."""
        frame = self.feed.live.frames.get(self.pair.timeframe)
        return frame is not None and self.cursor in frame.cursors

    @property
    def status(self) -> DataStatus:
        """The status of the symbol's data."""
        return self.feed.status

    async def ready(self) -> None:
        """Wait until the pair is followed live, or nobody follows it any more.

        That takes as long as the store is away.
        """
        await self._watches.prepared(self.pair)

    def changes(self) -> list[Candle]:
        """The candles that have changed since the last call, oldest first; none while the data is
        not complete, and none that lacks trades from before the first that matters."""
        if not self.is_ready or self.status.quality is not DataQuality.COMPLETE:
            return []
        return self.cursor.take(self._watches.walk(self.feed, self.pair.timeframe))

    def close(self) -> None:
        """Follow no longer."""
        self._watches.remove(self)


class Watches:
    """The pairs that are followed, each by one or more followers."""

    def __init__(
        self,
        retry: Retry,
        watermark_lock: asyncio.Lock,
        clock: ExchangeClock,
        materializer: Materializer,
    ) -> None:
        """`watermark_lock` is held while a watermark moves."""
        self._frames = Frames(retry)
        self._watermark_lock = watermark_lock
        self._clock = clock
        self._materializer = materializer
        self._followers: dict[Pair, list[Follower]] = {}
        self._prepared: dict[Pair, asyncio.Task[None]] = {}
        self._waiting: dict[str, tuple[set[Pair], asyncio.Task[None]]] = {}
        """By symbol, the pairs that are prepared together, when it is their turn."""

    @property
    def references(self) -> dict[Pair, int]:
        """How many followers each watched pair has."""
        return {pair: len(followers) for pair, followers in self._followers.items()}

    def has_room(self, pair: Pair, subscriptions: int) -> bool:
        """Whether a client that has so many subscriptions may watch one more pair."""
        return (
            len(self._followers) < MAX_WATCHED
            or pair in self._followers
            or subscriptions < SHARE_WHEN_FULL
        )

    def add(self, feed: Feed, pair: Pair, cursor: Cursor) -> Follower:
        """A follower of a pair from now on, which has to be `ready` before it has candles."""
        follower = Follower(self, feed, pair, cursor)
        followers = self._followers.setdefault(pair, [])
        if not followers:
            self._materializer.watched(pair)
        followers.append(follower)
        frame = feed.live.frames.get(pair.timeframe)
        if frame is not None:
            self._attach(follower, frame)
        return follower

    def remove(self, follower: Follower) -> None:
        """End a follower; after the last one the pair is no longer followed live."""
        pair, live = follower.pair, follower.feed.live
        followers = self._followers[pair]
        followers.remove(follower)
        frame = live.frames.get(pair.timeframe)
        if frame is not None and follower.cursor in frame.cursors:
            frame.cursors.remove(follower.cursor)
        if not followers:
            del self._followers[pair]
            self._materializer.released(pair)
            live.unwatch(pair.timeframe)
            if pair in self._prepared and self._prepared[pair].done():
                del self._prepared[pair]

    async def prepared(self, pair: Pair) -> None:
        """Wait until a pair is followed live, or nobody follows it any more."""
        task = self._prepared.get(pair)
        if task is None:
            if pair.symbol not in self._waiting:
                preparing = asyncio.create_task(self._prepare(pair.symbol))
                self._waiting[pair.symbol] = set(), preparing
            pairs, task = self._waiting[pair.symbol]
            pairs.add(pair)
            self._prepared[pair] = task
        await asyncio.shield(task)

    def walk(self, feed: Feed, timeframe: int) -> list[Candle]:
        """The candles of a watched timeframe from the watermark's bucket to the open one."""
        return feed.live.walk(timeframe, feed.shown_ms(self._clock.now_ms()))

    async def _prepare(self, symbol: str) -> None:
        """Follow live those pairs of a symbol that wait for it."""
        async with self._watermark_lock:
            pairs, _ = self._waiting.pop(symbol)
            frames = {pair: Frame(pair.timeframe) for pair in pairs}
            feeds = [self._followers[pair][0].feed for pair in pairs if pair in self._followers]
            if feeds:  # else nobody has waited so long
                await self._frames.rebase(feeds[0], frames.values())
            for pair, frame in frames.items():
                followers = self._followers.get(pair, [])
                if not followers:
                    del self._prepared[pair]
                    continue
                followers[0].feed.live.watch(frame)
                for follower in followers:
                    self._attach(follower, frame)

    def _attach(self, follower: Follower, frame: Frame) -> None:
        """Let a follower take what changes from now on, and the open candle."""
        frame.cursors.append(follower.cursor)
        if follower.status.quality is DataQuality.COMPLETE:
            follower.cursor.skip(self.walk(follower.feed, frame.timeframe)[:-1])
