"""One symbol on its way from the exchange to the store.

A feed is driven by one event loop and never waits: the stream and the refill put trades in, the
settler takes them out to the store, and subscribers read candles from it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from generated.native.facts import DataQuality
from ingest.binance.rest import Edge
from ingest.core.continuity import Continuity, Gap
from ingest.core.fixed import MAX_FIXED
from ingest.core.live import LiveCandles
from ingest.core.status import LAST_COMPLETE_GIVEN, DataStatus, Event, State
from ingest.core.timeframe import MINUTE_MS, bucket_start
from ingest.core.trade import Trade

from .impossible import DISORDER_MS
from .newest import PLAUSIBLE_JUMP

MAX_PENDING_TRADES = 200_000
"""Trades of one symbol that may wait for the store. More are refused, and refetched later by id."""

MAX_LATE_MS = 1440 * MINUTE_MS
"""A streamed trade that was missing is at most so much older than the newest one."""

MAX_AHEAD_MS = 5 * MINUTE_MS
"""A trade further ahead of the exchange's clock than this cannot be real."""

IDS_A_MS = 1
"""A streamed trade may be so many ids ahead of the one before it, for each millisecond that is
between their times, beyond PLAUSIBLE_JUMP. One that is further ahead is not believed: one wrong
number would leave a gap that nothing can fill. The exchange is asked for its newest trade instead.
"""

MAX_JUMP = 1_000_000
"""No streamed trade is believed to be so many ids ahead, however long none came."""


class Asked(NamedTuple):
    """The knowledge with which the exchange was asked for its newest trade."""

    doubts: int
    high_water: int
    time_ms: int


@dataclass
class Counters:
    """Counts of trades since the start."""

    received: int = 0
    repeated: int = 0
    refetched: int = 0
    malformed: int = 0
    refused: int = 0


class Feed:
    """The trades and candles of one symbol."""

    def __init__(self, symbol: str, heard_ms: Callable[[], int] = lambda: 0) -> None:
        """`heard_ms` gives the time of the newest trade that shows that the stream of this symbol
        is alive, such as one of another symbol on the same connection."""
        self.symbol = symbol
        self._heard_ms = heard_ms
        self._checked_ms = 0
        self.continuity: Continuity | None = None
        """None until it is known which ids matter."""
        self.live = LiveCandles(watermark=0)
        self.whole_first_id = -1
        """The first id that mattered when it was found out from when on candles are whole."""
        self.counters = Counters()
        self.state = State()
        self.gap_opened = asyncio.Event()
        """Set whenever there is something to refill."""
        self.gaps_since_ms: int | None = None
        self.revision = 0
        """Grows whenever what was published has to be published anew."""
        self.last_trade: Trade | None = None
        self.listeners: list[Callable[[str, Sequence[Trade]], None]] = []
        """Called with trades never seen before, history apart; they must neither wait nor raise."""
        self._pending: list[Trade] = []
        self._taken: list[Trade] = []

    def open(self, continuity: Continuity | None, watermark: int, whole_from_ms: int) -> None:
        """Start to take trades in; minutes before `watermark` (ms) are the store's.

        Without a continuity the exchange has no trade yet.
        """
        frames = self.live.frames
        self.continuity = continuity
        self.state.open()
        self.live = LiveCandles(watermark, whole_from_ms)
        self.whole_first_id = -1 if continuity is None else continuity.first_id
        if frames:
            self.live.frames = frames
            # They start from the store before anything is published, and what was given of their
            # open candles may lack what has come since.
            self.state.publish_from(watermark)
            for frame in frames.values():
                self.state.publish_from(frame.due_from(frame.bucket))
                frame.rebase(watermark, None, None)
        if continuity is not None:
            if not continuity.is_whole:
                self.state.happen(Event.HISTORY_WANTED)
            self.gap_opened.set()

    def end(self) -> None:
        """The exchange has the symbol no longer: ids that are missing are so for good."""
        if self.continuity is not None:
            for gap in self.continuity.gaps:
                self.continuity.confirm(gap)
        self.state.end()

    def close(self) -> None:
        """Take no trades in until it is opened anew; those that wait for the store are dropped."""
        self.state.close()
        self.continuity = None
        self._pending, self._taken = [], []
        self._checked_ms = 0

    @property
    def status(self) -> DataStatus:
        """The status of the data now."""
        quality = self.state.quality
        if self.continuity is None or quality not in LAST_COMPLETE_GIVEN:
            return DataStatus(quality)
        return DataStatus(quality, self.continuity.last_complete)

    @property
    def is_whole(self) -> bool:
        """Whether no id is waited for."""
        return self.continuity is None or self.continuity.is_whole

    @property
    def missing(self) -> int:
        """How many ids are waited for."""
        gaps = self.continuity.gaps if self.continuity is not None else ()
        return sum(gap.missing for gap in gaps)

    @property
    def waiting(self) -> int:
        """How many trades wait for the store."""
        return len(self._pending) + len(self._taken)

    @property
    def room(self) -> int:
        """How many more may wait."""
        return MAX_PENDING_TRADES - self.waiting

    def accept(self, trades: Sequence[Trade], now_ms: int, *, refetched: bool = False) -> int:
        """Take in trades of the exchange, in any order; returns how many were new.

        `now_ms` is the latest that the exchange's time may be.

        Trades that find no room leave a gap, which is refilled later. Those that cannot be real
        count as never seen.
        """
        state, continuity = self.state, self.continuity
        if not state.is_open or not trades:
            return 0
        if continuity is None:  # the first trade ever may have been another
            self.be_in_doubt(now_ms)
            return 0
        usable = self._believable(continuity, trades, now_ms, refetched)
        if len(usable) > self.room:
            self.counters.refused += len(usable)
            continuity.reach(max(trade.aggregate_id for trade in usable))
            self._note_gaps(now_ms)
            self.gap_opened.set()
            return 0
        gaps = len(continuity.missing)
        fresh = continuity.admit(usable)
        if len(continuity.missing) > gaps and not refetched:
            self.gap_opened.set()
        if refetched:
            self.counters.refetched += len(fresh)
        else:
            self._note_streamed(usable, len(fresh))
        if fresh:
            is_history = refetched and state.quality is DataQuality.LOADING
            self._keep(fresh, continuity.high_water, is_history=is_history)
            if continuity.missing:
                self._note_gaps(now_ms)
        return len(fresh)

    def _note_streamed(self, usable: Sequence[Trade], fresh: int) -> None:
        """Count trades of the stream; those after a doubt settle it."""
        self.counters.received += len(usable)
        self.counters.repeated += len(usable) - fresh
        state = self.state
        if not state.is_verified and any(t.timestamp > state.doubted_ms for t in usable):
            state.settle()  # the trades that were missed before it are a gap now

    def _keep(self, fresh: Sequence[Trade], high_water: int, *, is_history: bool) -> None:
        """Keep trades for the store, and fold and announce them."""
        self._pending += fresh
        late = self.live.fold(fresh)
        if late is not None:
            self.state.late(late)
        in_order = fresh[-1].aggregate_id == high_water and not fresh[-1].is_tombstone
        for trade in fresh[-1:] if in_order else fresh:
            self._note_last(trade)
        if not is_history:
            for listener in self.listeners:
                listener(self.symbol, fresh)

    def shown_ms(self, now_ms: int) -> int:
        """The exchange's time, less than `now_ms` while a minute that has ended may lack trades.

        A minute is over once a trade from after it has come, or the exchange, asked after its
        end, had no trade that is not here. The time of a symbol that has ended ends with the minute
        of its last trade.
        """
        if self.state.is_ended:
            newest = max(self.live.minutes, default=self.live.watermark - MINUTE_MS)
            return min(now_ms, newest + MINUTE_MS)
        return min(now_ms, bucket_start(self.seen_ms, 1) + MINUTE_MS - 1)

    @property
    def seen_ms(self) -> int:
        """The exchange's time up to which its trades have been seen, or asked after; 0 if never."""
        return max(self._checked_ms, self.live.newest_ms, self._heard_ms())

    def asking(self, now_ms: int) -> Asked:
        """The knowledge with which the exchange is asked for its newest trade."""
        known = self.continuity
        if known is None or known.high_water < known.first_id:
            return Asked(self.state.doubts, -1, now_ms)
        return Asked(self.state.doubts, known.high_water, now_ms)

    def verify(self, first_id: int | None, newest: Edge | None, asked: Asked, now_ms: int) -> None:
        """Take the exchange's newest trade, asked for when this was known.

        `first_id` is the first id that the exchange has, where it had none at the start. An
        answer that is older than a doubt, or than a trade that is here, settles nothing; nor does
        one that gives another trade under the id of one that is here.
        """
        if self.continuity is None and first_id is not None:
            self.continuity = Continuity(first_id)
            self.whole_first_id = first_id
        is_another = newest is not None and self._is_another(newest)
        if newest is not None and self.continuity is not None:
            if newest.aggregate_id > self.continuity.high_water:
                self.continuity.reach(newest.aggregate_id)
                self._note_gaps(now_ms)
                self.gap_opened.set()
            if newest.trade is not None:
                self._note_last(newest.trade)
        newest_id = -1 if newest is None else newest.aggregate_id
        is_new = asked.doubts == self.state.doubts and newest_id >= asked.high_water
        if is_new and not is_another:
            self.state.settle()
            if self.state.is_connected:
                self._checked_ms = max(self._checked_ms, asked.time_ms)

    def lacking(self, trades: Sequence[Trade]) -> list[Gap]:
        """The ids of trades that were refused, and so are missing still."""
        if self.continuity is None:
            return []
        ids = [trade.aggregate_id for trade in trades]
        return [Gap(number, number) for number in ids if self.continuity.lacks(number)]

    def joined(self, now_ms: int) -> None:
        """The stream of this symbol is up; what passed before is not known yet."""
        self.state.connect(self._latest_ms(now_ms))

    def doubt(self, aggregate_id: int | None, now_ms: int) -> None:
        """A message was unreadable that may have been a trade of this symbol, with this id."""
        self.counters.malformed += 1
        self.be_in_doubt(now_ms)
        if aggregate_id is None or self.continuity is None:
            return
        if aggregate_id <= self.continuity.high_water + PLAUSIBLE_JUMP:
            self.continuity.reach(aggregate_id)
            self._note_gaps(now_ms)
            self.gap_opened.set()

    def note_unreadable(self, gaps: Iterable[Gap], now: float, now_ms: int) -> None:
        """The exchange has these ids, and no valid trades for them: they are missing, though they
        may have counted as absent."""
        if self.continuity is None:
            return
        for gap in gaps:
            self.continuity.mark_unreadable(gap, now)
        self._note_gaps(now_ms)

    def is_settled(self, now_ms: int) -> bool:
        """Whether nothing waits for the store, no minute has ended and the data is complete."""
        if not self.state.is_open:
            return True
        if self._pending or self._taken or self.state.late_from_ms is not None:
            return False
        if self.state.quality is not DataQuality.COMPLETE:
            return False
        end_ms = self.live.watermark + MINUTE_MS
        return now_ms < end_ms or self.shown_ms(now_ms) < end_ms

    def take(self) -> tuple[list[Trade], int | None]:
        """The trades that wait for the store, and the earliest late minute among all so far.

        The trades are given again until `stored` says that the store has them.
        """
        self._taken += self._pending
        self._pending = []
        return self._taken, self.state.take_late()

    def stored(self) -> None:
        """The trades that were taken are in the store."""
        self._taken = []

    @property
    def trades_stored(self) -> int:
        """How many trades the store has."""
        if self.continuity is None:
            return 0
        return self.continuity.held - len(self._taken) - len(self._pending)

    def settled_until(self, close_ms: int) -> int:
        """The minute up to which the store can take over once all that was taken is in it, at the
        latest `close_ms`."""
        watermark = self.live.watermark
        waiting = (trade.timestamp for trade in self._pending if trade.timestamp >= watermark)
        return max(bucket_start(min([close_ms, *waiting]), 1), watermark)

    def complete(self) -> bool:
        """Complete the data when nothing is missing; returns whether it was not so before."""
        if not self.is_whole or not self.state.complete():
            return False
        self.gaps_since_ms = None
        self.revision += 1
        for frame in self.live.frames.values():
            frame.give_past()
        return True

    def _believable(
        self, continuity: Continuity, trades: Sequence[Trade], now_ms: int, refetched: bool
    ) -> Sequence[Trade]:
        """The trades that can be real; the others put what is known in doubt."""
        newest_ms = self.live.newest_ms
        horizon = (now_ms if now_ms > newest_ms else newest_ms) + MAX_AHEAD_MS
        oldest = 0 if refetched else newest_ms - DISORDER_MS
        near = MAX_FIXED if refetched else continuity.high_water + PLAUSIBLE_JUMP
        for trade in trades:
            if not oldest <= trade.timestamp <= horizon or trade.aggregate_id > near:
                break
        else:
            return trades
        usable = [trade for trade in trades if trade.timestamp <= horizon]
        if any(trade.timestamp < oldest for trade in usable):
            late, high = newest_ms - MAX_LATE_MS, continuity.high_water
            usable = [
                t for t in usable if t.timestamp >= (late if t.aggregate_id <= high else oldest)
            ]
        if any(trade.aggregate_id > near for trade in usable):
            usable = list(self._near(usable, continuity.high_water))
        if len(usable) < len(trades):
            self.counters.malformed += len(trades) - len(usable)
            self.be_in_doubt(now_ms)
        return usable

    def _near(self, trades: Sequence[Trade], high_water: int) -> Iterator[Trade]:
        """Those of streamed trades whose ids are plausible after the newest known one."""
        newest_ms = self.live.newest_ms
        for trade in trades:
            jump = PLAUSIBLE_JUMP + IDS_A_MS * max(0, trade.timestamp - newest_ms)
            if trade.aggregate_id <= high_water + min(jump, MAX_JUMP):
                high_water = max(high_water, trade.aggregate_id)
                newest_ms = max(newest_ms, trade.timestamp)
                yield trade

    def be_in_doubt(self, now_ms: int) -> None:
        """A trade may be missing behind the newest one."""
        self.state.doubt(self._latest_ms(now_ms))

    def _latest_ms(self, now_ms: int) -> int:
        return max(now_ms, self.live.newest_ms)

    def _is_another(self, newest: Edge) -> bool:
        """Whether a trade that is here has the id that the exchange gives with its newest one."""
        known, trade, last = self.continuity, newest.trade, self.last_trade
        if known is None or trade is None or trade.is_tombstone:
            return False
        if trade.aggregate_id > known.high_water or known.lacks(trade.aggregate_id):
            return False
        if last is not None and last.aggregate_id == trade.aggregate_id and last != trade:
            return True
        return trade.timestamp > self.live.newest_ms

    def _note_last(self, trade: Trade) -> None:
        last = self.last_trade
        if not trade.is_tombstone and (last is None or trade.aggregate_id > last.aggregate_id):
            self.last_trade = trade

    def _note_gaps(self, now_ms: int) -> None:
        if not self.is_whole:
            if self.gaps_since_ms is None:
                self.gaps_since_ms = now_ms
            self.state.happen(Event.IDS_MISSING)
