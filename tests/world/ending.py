"""The checks of an honest world: nothing is lost, and every last message is true."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from generated.native.facts import DataQuality
from ingest.core.timeframe import first_bucket
from ingest.pipeline.feed import Feed
from tests.world.client import MAX_UPDATE_GAP_S, Client
from tests.world.exchange import Exchange
from tests.world.pages import Pages
from tests.world.process import Process
from tests.world.truth import MINUTE_MS, TIMEFRAMES, Truth


class Ending:
    """Holds a process, its store and its clients to the truth."""

    def __init__(
        self,
        exchange: Exchange,
        truths: Mapping[str, Truth],
        pages: Pages,
        fail: Callable[[str], None],
    ) -> None:
        self._exchange = exchange
        self._truths = truths
        self._pages = pages
        self._fail = fail

    def is_whole(self, process: Process, until_ms: int = 0) -> bool:
        """Whether every symbol is complete up to its newest trade, with all that can be had, and
        shows the minute of `until_ms`."""
        minute = until_ms // MINUTE_MS * MINUTE_MS
        return all(
            self._is_whole(feed) and feed.shown_ms(process.provider.clock.now_ms()) >= minute
            for feed in process.provider.feeds.values()
        )

    def states(self, process: Process) -> str:
        """The state of every symbol, for a failure."""
        return "; ".join(self._state(feed) for feed in process.provider.feeds.values())

    async def check(self, process: Process, clients: Sequence[Client], now_s: float) -> None:
        """Check everything, at a time at which nothing is made any more."""
        if not self.is_whole(process):
            self._fail(f"not whole at the end: {self.states(process)}")
            return
        for feed in process.provider.feeds.values():
            self._check_stored(process, feed)
            for minutes in TIMEFRAMES:
                await self._check_count(process, feed, minutes)
        for client in clients:
            self._check_client(process, client, now_s)
        differences = list(process.store.audit.run(list(self._exchange.markets), repair=False))
        if differences:
            self._fail(f"the audit finds {differences[:3]}")

    def _is_whole(self, feed: Feed) -> bool:
        continuity = feed.continuity
        known = continuity is not None and continuity.high_water >= continuity.first_id
        return (
            feed.status.quality is DataQuality.COMPLETE
            and self._newest_id(feed) == (continuity.high_water if continuity and known else None)
            and next(self._fillable(feed), None) is None
        )

    def _newest_id(self, feed: Feed) -> int | None:
        """The newest id that exists; None while none of those that were given does."""
        newest = self._exchange.markets[feed.symbol].newest(1)
        return newest[0].trade.aggregate_id if newest else None

    def _fillable(self, feed: Feed) -> Iterator[int]:
        """Ids that are missing here, and not at the exchange."""
        for item in feed.continuity.missing if feed.continuity is not None else ():
            for found in self._exchange.markets[feed.symbol].page(item.from_id, 1):
                if found.trade.aggregate_id <= item.to_id:
                    yield found.trade.aggregate_id

    def _state(self, feed: Feed) -> str:
        continuity = feed.continuity
        if continuity is None:
            return f"{feed.symbol} is {feed.status.quality}, without ids"
        return (
            f"{feed.symbol} is {feed.status.quality}, {continuity.first_id} to"
            f" {continuity.high_water} of {self._newest_id(feed)}, missing"
            f" {continuity.missing[:3]}, fillable {list(self._fillable(feed))[:5]},"
            f" {vars(feed.state)}"
        )

    def _check_stored(self, process: Process, feed: Feed) -> None:
        """Every trade that matters is stored once."""
        if feed.continuity is None:  # none of the ids that were given exists
            return
        first = process.store.retention.line(feed.symbol).first_id
        first = max(first, feed.continuity.first_id)
        stored = process.store.trades.since(feed.symbol, 0)
        stored = [trade for trade in stored if trade.aggregate_id >= first]
        made = self._exchange.markets[feed.symbol].existing()
        expected = [trade for trade in made if trade.aggregate_id >= first]
        if stored != expected:
            lost = {t.aggregate_id for t in expected} - {t.aggregate_id for t in stored}
            self._fail(
                f"{feed.symbol}: {len(stored)} trades are stored of {len(expected)}, without"
                f" {sorted(lost)[:9]}"
            )

    async def _check_count(self, process: Process, feed: Feed, minutes: int) -> None:
        """Over REST are as many candles as there should be; each was held to the truth."""
        count = await self._pages.check(process, feed.symbol, minutes, None, 1000)
        expected = min(1000, self._candles(process, feed, minutes))
        if count != expected:
            self._fail(f"{feed.symbol} {minutes}m has {count} candles, not {expected}")

    def _candles(self, process: Process, feed: Feed, minutes: int) -> int:
        """How many candles there are of the trades that matter."""
        if feed.continuity is None:
            return 0
        first_id, width = feed.continuity.first_id, minutes * MINUTE_MS
        whole_from_ms = first_bucket(feed.live.whole_from_ms, minutes)
        times = (
            trade.timestamp
            for trade in self._exchange.markets[feed.symbol].existing()
            if trade.aggregate_id >= first_id
            and trade.timestamp >= whole_from_ms
            and not trade.is_tombstone
        )
        until = feed.shown_ms(process.provider.clock.now_ms()) // width * width + width
        first = min(times, default=until) // width * width
        return max(0, until - first) // width

    def _check_client(self, process: Process, client: Client, now_s: float) -> None:
        """Updates go on, and the last that was given of each candle is true."""
        if not client.is_connected or not client.reads:
            return
        for (symbol, minutes), watched in client.watched.items():
            feed = process.provider.feeds[symbol]
            if (symbol, minutes) not in client.wanted or not self._candles(process, feed, minutes):
                continue
            name, silent = f"{client.name}: {symbol} {minutes}m", now_s - watched.last_at
            if silent > MAX_UPDATE_GAP_S or not watched.is_complete:
                self._fail(f"{name} silent for {silent:.1f} s, complete: {watched.is_complete}")
            if watched.is_provisional:
                self._fail(f"{name}: a provisional history was not sent again")
            for start, shown in watched.given.items():
                last = next(self._truths[symbol].candles(minutes, start, start + 1), None)
                if shown != last:
                    self._fail(f"{name}: the last word is {shown}, not {last}")
