"""The market as an API sees it: candles of any timeframe, sums, changes, and what holds of them.

Candles of closed minutes are in the store, those of the running ones are live, and a minute moves
from there to here at any time. `consistent` is the one place where both are read together.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from generated.native.facts import DataQuality
from ingest.binance.clock import ExchangeClock
from ingest.core.candle import Candle
from ingest.core.cursor import Cursor
from ingest.core.errors import NotReady, UnknownSymbol
from ingest.core.live import Frame
from ingest.core.paging import EMPTY, Bounds, Known, PageSpan, page
from ingest.core.rows import Rows, newest
from ingest.core.status import DataStatus
from ingest.core.timeframe import MINUTE_MS, bucket_start, first_bucket, width_ms
from ingest.core.trade import Trade
from ingest.core.window import MinuteWindow
from ingest.storage import CandlePage, Form, Selection, Table

from .feed import Feed
from .hot import Hot
from .pair import Pair
from .retry import Retry, StoreCall, once
from .seconds import seconds
from .stored import Stored
from .watches import Follower, Watches

MAX_FRAMES = 1000
"""Timeframes that nobody watches, whose open part is kept for the next question."""

T = TypeVar("T")
Listener = Callable[[str, Sequence[Trade]], None]


async def consistent(feed: Feed, read: Callable[[], Awaitable[T]]) -> T | None:
    """The result of `read` on the store, at a moment at which it fits the live candles.

    It fits until the next pause. None while the data is not complete.
    """
    while feed.status.quality is DataQuality.COMPLETE:
        state = feed.live.watermark, feed.revision
        found = await read()
        is_unchanged = (feed.live.watermark, feed.revision) == state
        if is_unchanged and feed.status.quality is DataQuality.COMPLETE:
            return found
    return None


def not_complete(feed: Feed) -> NotReady:
    """The error for data that is asked for while it is not complete."""
    quality = feed.status.quality.value
    return NotReady(f"{feed.symbol} is {quality}; ask again when it is complete")


@dataclass(frozen=True, slots=True)
class History:
    """Candles in order, and how far they can be relied upon: none when not complete."""

    closed: Sequence[Rows]
    """Those that the store has."""
    live: Sequence[Candle]
    """The later ones, as they are now."""
    status: DataStatus
    next_cursor: int | None = None
    """The time with which the page after this one begins, if there is one."""
    ended_ms: int | None = None
    """The end of the last candle of a page, where all of it are closed and its span is fixed."""

    @property
    def count(self) -> int:
        """How many candles there are."""
        return sum(map(len, self.closed)) + len(self.live)


@dataclass(frozen=True, slots=True)
class TablePage:
    """A page of candles as a table in pieces."""

    pieces: AsyncIterator[bytes]
    status: DataStatus
    next_cursor: int | None
    ended_ms: int | None
    """As that of `History`."""


class Window:
    """Sums over the latest minutes of one symbol."""

    def __init__(self, feed: Feed, minutes: int, retry: Retry, clock: ExchangeClock) -> None:
        """Made by `MarketView.window`."""
        self._feed = feed
        self._length_ms = (minutes - 1) * MINUTE_MS
        self._store = retry.store
        self._clock = clock
        self._stored = MinuteWindow()
        self._revision = -1
        """The feed's revision that the stored minutes were read at."""

    @property
    def now_ms(self) -> int:
        """The exchange's time, as candles go by it."""
        feed = self._feed
        return max(feed.shown_ms(self._clock.now_ms()), feed.live.newest_ms)

    @property
    def start_ms(self) -> int:
        """The start of the first minute."""
        return bucket_start(self.now_ms, 1) - self._length_ms

    async def read(self) -> bool:
        """Read what has been stored since; False while the data is not complete.

        The sums hold until the next pause. Raises StoreUnavailable.
        """
        feed, start = self._feed, self.start_ms
        minutes = await consistent(feed, lambda: self._missing(start))
        if minutes is None:
            return False
        if (self._stored.until, self._revision) != (feed.live.watermark, feed.revision):
            self._stored.take(minutes, feed.live.watermark, start)
            self._revision = feed.revision
        return True

    def since(self, start_ms: int) -> Candle | None:
        """The candle of the minutes from a time on; None when there never was a trade."""
        return self._stored.since(start_ms, self._feed.live.minutes)

    def minute(self, time_ms: int) -> Candle | None:
        """The minute that starts at a time; None where it is no part of the window."""
        return self._feed.live.minutes.get(time_ms) or self._stored.minute(time_ms)

    async def _missing(self, start: int) -> list[Candle]:
        """The stored minutes from `start` on that were never read, or have changed."""
        feed, until = self._feed, self._feed.live.watermark
        since = self._stored.until if self._revision == feed.revision else 0
        count = max(0, until - max(since, start)) // MINUTE_MS
        if not count:
            return []
        return await self._store.candles.read(feed.symbol, 1, until, count, feed.live.whole_from_ms)


class MarketView:
    """Everything that APIs ask of the market."""

    def __init__(
        self,
        feeds: Mapping[str, Feed],
        ended: Mapping[str, Feed],
        retry: Retry,
        clock: ExchangeClock,
        watches: Watches,
        hot: Hot,
    ) -> None:
        self._feeds = feeds
        self._ended = ended
        self._retry = retry
        self._store = retry.store
        self._clock = clock
        self._watches = watches
        self._hot = hot
        self.stored = Stored(retry.store, hot)
        self._frames: dict[Pair, tuple[tuple[int, int, int], Frame]] = {}
        """With what each holds for: the watermark, the time from which on candles are whole, and
        the revision."""
        self.on_complete: list[Callable[[str], None]] = []
        """Called with each symbol whose data has become complete."""

    @property
    def symbols(self) -> Collection[str]:
        """The followed symbols, in the order of the settings."""
        return self._feeds.keys()

    @property
    def is_storing(self) -> bool:
        """Whether the store answers."""
        return self._retry.failing_since_ms is None

    @property
    def store_failing_since_ms(self) -> int | None:
        """Since when the store has not answered, by this machine's clock; None when it does."""
        return self._retry.failing_since_ms

    def feed(self, symbol: str) -> Feed:
        """The feed of a followed symbol; raises UnknownSymbol for any other."""
        try:
            return self._feeds[symbol]
        except KeyError:
            raise UnknownSymbol(symbol) from None

    def _subscribed(self, symbol: str) -> Feed:
        """The feed of a symbol that is followed, or was when somebody subscribed to it."""
        return self._ended.get(symbol) or self.feed(symbol)

    def status(self, symbol: str) -> DataStatus:
        """The status of a symbol's data, `unknown` when it is followed no longer.

        Raises UnknownSymbol for one that never was.
        """
        return self._subscribed(symbol).status

    @property
    def references(self) -> Mapping[Pair, int]:
        """How many followers each pair has that is followed."""
        return self._watches.references

    def has_room(self, pair: Pair, subscriptions: int) -> bool:
        """Whether a client that has so many subscriptions may follow one more pair."""
        return self._watches.has_room(pair, subscriptions)

    def follow(self, pair: Pair, *, repeats_open: bool = False) -> Follower:
        """A follower of the candles of a pair, which are live once it is `ready`.

        With `repeats_open` it gets the open candle each time, changed or not. Raises
        UnknownSymbol.
        """
        return self._watches.add(self.feed(pair.symbol), pair, Cursor(repeats_open=repeats_open))

    async def newest(self, pair: Pair, count: int, form: Form[Candle]) -> History:
        """The newest `count` candles of a pair, at least one, the open one last.

        A store that is away is waited for.
        """
        feed = self.feed(pair.symbol)

        async def read() -> tuple[Frame, Sequence[Rows]]:
            frame = await self._frame(feed, pair, self._retry)
            start, whole_from_ms = frame.bucket - count * frame.width, feed.live.whole_from_ms
            stored = await self._retry(
                self._hot.candles, pair, max(0, start), frame.bucket, whole_from_ms, form
            )
            return frame, stored

        found = await consistent(feed, read)
        if found is None:
            return History((), (), feed.status)
        frame, stored = found
        live = self._live(feed, frame)[-count:]
        return History(newest(stored, count - len(live)), live, feed.status)

    async def newest_traded(self, pair: Pair, look_back: int) -> Candle | None:
        """The newest candle of a pair that has trades, however old it is.

        The newest `look_back` candles are looked at first. None while the data is not complete.
        A store that is away is waited for.
        """
        feed, stored_candles = self.feed(pair.symbol), self._store.candles

        async def read() -> tuple[Frame, Candle | None]:
            frame = await self._frame(feed, pair, self._retry)
            if any(not candle.is_flat for candle in self._live(feed, frame)):
                return frame, None
            stored = await self._retry(stored_candles.read, *pair, frame.bucket, look_back)
            traded = [candle for candle in stored if not candle.is_flat]
            if not traded:
                return frame, await self._retry(stored_candles.newest_traded, *pair)
            return frame, traded[-1]

        found = await consistent(feed, read)
        if found is None:
            return None
        frame, stored = found
        live = [candle for candle in self._live(feed, frame) if not candle.is_flat]
        newest = live[-1] if live else stored
        return newest if newest and newest.candle_time >= feed.live.whole_from_ms else None

    async def page(self, pair: Pair, limit: int, bounds: Bounds, form: Form[Candle]) -> History:
        """A page as `core.paging` has it. Raises UnknownSymbol and StoreUnavailable."""
        feed = self.feed(pair.symbol)

        def read(start: int, end: int) -> Awaitable[Sequence[Rows]]:
            return self._hot.candles(pair, start, end, feed.live.whole_from_ms, form)

        found = await self._page(feed, pair, limit, bounds, read)
        if found is None:
            return History((), (), feed.status, bounds.beginning(pair.timeframe))
        frame, span, closed, live = found
        ended_ms = _ended_ms(frame, span, bounds)
        return History(closed, live, feed.status, span.next_cursor, ended_ms)

    async def trades(self, wanted: Selection, limit: int, form: Form[Trade]) -> Sequence[Rows]:
        """The first `limit` trades of a selection that has a beginning, else the newest ones.

        Raises UnknownSymbol, StoreUnavailable and, while the data is not complete, NotReady.
        """
        feed = self.feed(wanted.symbol)
        found = await consistent(feed, lambda: self.stored.trades(wanted, limit, form))
        if found is None:
            raise not_complete(feed)
        return found[0]

    async def candles(self, pair: Pair, limit: int, bounds: Bounds) -> Sequence[Candle]:
        """The candles of such a page themselves, quiet ones flat, for who makes others of them.

        Raises UnknownSymbol, StoreUnavailable and, while the data is not complete, NotReady.
        """
        feed = self.feed(pair.symbol)

        async def read(start: int, end: int) -> Sequence[Candle]:
            count = max(0, end - start) // width_ms(pair.timeframe)
            if not count:
                return []
            return await self._store.candles.read(*pair, end, count, feed.live.whole_from_ms)

        found = await self._page(feed, pair, limit, bounds, read)
        if found is None:
            raise not_complete(feed)
        _, _, closed, live = found
        return [*closed, *live]

    async def seconds(self, symbol: str, limit: int, bounds: Bounds) -> list[Candle]:
        """Candles of seconds, as `pipeline.seconds` has them.

        Raises UnknownSymbol, StoreUnavailable and, while the data is not complete, NotReady.
        """
        feed = self.feed(symbol)
        read = partial(seconds, self._store, self._hot, feed, limit, bounds)
        found = await consistent(feed, read)
        if found is None:
            raise not_complete(feed)
        return found

    def whole_from_ms(self, symbol: str) -> int:
        """The time from which on nothing has expired, and no trade is missing that was never asked
        for: what begins earlier is not shown. Raises UnknownSymbol."""
        whole_from_ms = self.feed(symbol).live.whole_from_ms
        return max(whole_from_ms, self._store.retention.line(symbol).candles_since_ms)

    async def page_table(self, pair: Pair, limit: int, bounds: Bounds, table: Table) -> TablePage:
        """The same page as a table. Raises UnknownSymbol, StoreUnavailable and NotReady."""
        feed = self.feed(pair.symbol)
        found = await consistent(feed, lambda: self._span(feed, pair, limit, bounds))
        status = feed.status
        if found is None:
            raise not_complete(feed)
        frame, span = found
        live = self._live(feed, frame)
        wanted = CandlePage(*pair, span.start_ms, span.end_ms, frame.bucket, live)
        pieces = await self._store.pages.candles_table(wanted, table)
        return TablePage(pieces, status, span.next_cursor, _ended_ms(frame, span, bounds))

    def trades_ended_ms(self, wanted: Selection) -> int | None:
        """The end of a selection of trades that has a beginning and is all there; else None."""
        feed, end = self.feed(wanted.symbol), wanted.end_time
        if end is None or feed.status.quality is not DataQuality.COMPLETE:
            return None
        lowest = feed.continuity.lowest if feed.continuity else None
        begins = (
            wanted.start_time is not None and wanted.start_time >= feed.live.whole_from_ms
        ) or (wanted.from_id is not None and lowest is not None and wanted.from_id >= lowest)
        return end if begins and end < feed.live.watermark else None

    def window(self, symbol: str, minutes: int) -> Window:
        """Sums over the latest minutes of a symbol, the running one included."""
        return Window(self.feed(symbol), minutes, self._retry, self._clock)

    def newest_ms(self, symbol: str) -> int:
        """The time of a symbol's newest trade; raises UnknownSymbol."""
        return self._subscribed(symbol).live.newest_ms

    def shown_ms(self, symbol: str) -> int:
        """The exchange's time, as the candles of a symbol go by it; raises UnknownSymbol."""
        return self._subscribed(symbol).shown_ms(self._clock.now_ms())

    def last_trade(self, symbol: str) -> Trade | None:
        """The newest trade of a symbol, if there is one; raises UnknownSymbol."""
        return self._subscribed(symbol).last_trade

    def listen(self, symbol: str, listener: Listener) -> None:
        """Call `listener` with trades that have never come before, those of history apart.

        It must neither wait nor raise. Raises UnknownSymbol.
        """
        self.feed(symbol).listeners.append(listener)

    def ignore(self, symbol: str, listener: Listener) -> None:
        """Call a listener no longer."""
        self._subscribed(symbol).listeners.remove(listener)

    def completed(self, symbol: str) -> None:
        """The data of a symbol has become complete."""
        for hook in self.on_complete:
            hook(symbol)

    async def _page(
        self,
        feed: Feed,
        pair: Pair,
        limit: int,
        bounds: Bounds,
        read_closed: Callable[[int, int], Awaitable[T]],
    ) -> tuple[Frame, PageSpan, T, Sequence[Candle]] | None:
        """The stored part, the buckets of the page, and its candles: closed ones as they are read,
        and live ones. None while the data is not complete."""

        async def read() -> tuple[Frame, PageSpan, T]:
            frame, span = await self._span(feed, pair, limit, bounds)
            return frame, span, await read_closed(span.start_ms, min(span.end_ms, frame.bucket))

        found = await consistent(feed, read)
        if found is None:
            return None
        frame, span, closed = found
        live = [
            candle
            for candle in self._live(feed, frame)
            if span.start_ms <= candle.candle_time < span.end_ms
        ]
        return frame, span, closed, live

    async def _span(
        self, feed: Feed, pair: Pair, limit: int, bounds: Bounds
    ) -> tuple[Frame, PageSpan]:
        """The stored part of a pair, and which buckets a page of it has."""
        frame = await self._frame(feed, pair, once)
        since = first_bucket(feed.live.whole_from_ms, pair.timeframe)
        first = await self._hot.first_minute(pair.symbol, since)
        known = _known(pair.timeframe, first, self._live(feed, frame))
        return frame, EMPTY if known is None else page(pair.timeframe, known, limit, bounds)

    def _live(self, feed: Feed, frame: Frame) -> list[Candle]:
        return feed.live.walk_frame(frame, feed.shown_ms(self._clock.now_ms()))

    async def _frame(self, feed: Feed, pair: Pair, call: StoreCall) -> Frame:
        """The stored part, up to the watermark; the same until that or the past has changed."""
        watched = feed.live.frames.get(pair.timeframe)
        if watched is not None:
            return watched
        watermark, whole_from_ms = feed.live.watermark, feed.live.whole_from_ms
        state = watermark, whole_from_ms, feed.revision
        kept = self._frames.get(pair)
        if kept is not None and kept[0] == state:
            return kept[1]
        frame, timeframe = Frame(pair.timeframe), pair.timeframe
        bases = await call(
            self._store.candles.bases, pair.symbol, [timeframe], watermark, whole_from_ms
        )
        frame.rebase(watermark, *bases[timeframe])
        if len(self._frames) >= MAX_FRAMES:
            self._frames.clear()
        self._frames[pair] = state, frame
        return frame


def _ended_ms(frame: Frame, span: PageSpan, bounds: Bounds) -> int | None:
    """The end of a page that has a beginning and an end, where all of its candles are closed."""
    has_end = bounds.end_time is not None or span.next_cursor is not None
    is_fixed = has_end and bounds.beginning(frame.timeframe) is not None
    is_closed = span.start_ms < span.end_ms <= frame.bucket
    return span.end_ms if is_fixed and is_closed else None


def _known(timeframe: int, first_minute: int | None, live: Sequence[Candle]) -> Known | None:
    """The candles that there are; None when there are none. `first_minute` is the first stored of
    those that count."""
    if not live:
        return None
    first = live[0].candle_time
    if first_minute is not None:
        first = min(first, bucket_start(first_minute, timeframe))
    return Known(first, live[-1].candle_time)
