"""A market, a stream that misbehaves, and a feed over a real store, all driven step by step."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

from hypothesis import strategies as st

from generated.native.facts import DataQuality
from ingest.binance.clock import ExchangeClock
from ingest.binance.rest import Edge
from ingest.core.continuity import Continuity, Gap
from ingest.core.errors import StoreUnavailable
from ingest.core.trade import Trade
from ingest.pipeline.feed import Asked, Feed
from ingest.pipeline.malformed import MalformedMessages
from ingest.pipeline.materialize import Materializer
from ingest.pipeline.pair import Pair
from ingest.pipeline.retry import Retry
from ingest.pipeline.settle import Settler
from ingest.pipeline.view import MarketView
from ingest.pipeline.watches import Follower, Watches
from ingest.storage import AsyncStore, Store
from tests.factories import Row, naive_candles, row

P = ParamSpec("P")
T = TypeVar("T")

START_MS = 1_700_000_000_000
FIRST_ID = 1000
TIMEFRAMES = (1, 2, 7, 173)


class InterruptedStore(Store):
    """A store in whose calls other things happen first and after, and which can fail in both."""

    meanwhile: Callable[[], None] = staticmethod(lambda: None)

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        await asyncio.sleep(0)
        self.meanwhile()
        result = call(*args, **kwargs)
        self.meanwhile()
        await asyncio.sleep(0)
        return result


class World:
    """The trades of an exchange, those in flight, and the candles that subscribers received."""

    def __init__(self, store: InterruptedStore, symbol: str, draw: Callable[..., Any]) -> None:
        self.draw = draw
        self.now_ms = START_MS
        self.store = store
        self.clock = ExchangeClock(self._server_time, monotonic=lambda: self.now_ms / 1000)
        self.feed = Feed(symbol)
        feeds, retry = {symbol: self.feed}, Retry(AsyncStore(store))
        self.settler = Settler(retry, MalformedMessages(retry), self.clock, feeds, lambda _: None)
        lock = self.settler.watermark_lock
        watches = Watches(retry, lock, self.clock, Materializer(retry))
        self.view = MarketView(feeds, retry, self.clock, watches)
        self.made: list[Trade] = []
        self.gone: set[int] = set()
        """Ids that the exchange has no more and that did not come in before."""
        self.wire: list[Trade] = []
        self.missed: set[int] = set()
        """Ids whose loss cannot have gone unnoticed: of garbled messages, and of a cut stream."""
        self.asked: list[tuple[Edge | None, Asked]] = []
        """Answers on their way: the newest trade, and what was known when it was asked for."""
        self.consumers: list[tuple[Follower, dict[int, Row]]] = []
        """Each with the candles that it was given, by their time."""
        self.tasks: set[asyncio.Task[None]] = set()
        self.failures = 0
        self.verdict: BaseException | None = None
        """The failure of a step while the store was at work; raised here, it would be retried."""
        self.is_inside = True
        store.meanwhile = self.meanwhile

    async def _server_time(self) -> int:
        return self.now_ms

    async def open(self) -> None:
        """Begin with an empty store, as at the first start: the exchange may have a history."""
        for _ in range(self.draw(st.integers(0, 3))):
            self.make()
        if self.draw(st.booleans()):
            self.watch()
            await asyncio.sleep(0)
        await self.clock.synchronize()
        continuity = Continuity(FIRST_ID)
        continuity.reach(FIRST_ID + len(self.made) - 1)
        async with self.settler.watermark_lock:
            self.feed.open(continuity, self.now_ms // 60_000 * 60_000, 0)
        self.is_inside = False

    # What is true --------------------------------------------------------------------------------

    def known(self) -> list[Trade]:
        """The trades up to the newest id that the feed knows of."""
        assert self.feed.continuity is not None
        high = self.feed.continuity.high_water
        return [t for t in self.made if t.aggregate_id <= high and t.aggregate_id not in self.gone]

    def expected(self, timeframe: int) -> dict[object, Row]:
        """The textbook's candles of the known trades."""
        shown_ms = self.feed.shown_ms(self.clock.now_ms())
        newest = max([shown_ms, *(t.timestamp for t in self.known())])
        rows = naive_candles(self.known(), timeframe, newest)
        return {item["candle_time"]: item for item in rows}

    @property
    def is_complete(self) -> bool:
        """Whether the feed says that nothing is missing."""
        return self.feed.status.quality is DataQuality.COMPLETE

    # What happens --------------------------------------------------------------------------------

    def step(self) -> None:
        """One thing that happens without the store."""
        action: Callable[[], None] = self.draw(
            st.sampled_from(
                [
                    *([self.make] * 3 + [self.deliver] * 4 + [self.refill] * 2),
                    *(self.pass_time, self.lose, self.garble, self.repeat, self.cut, self.join),
                    *(self.ask, self.answer, self.remove, self.turn_up, self.watch, self.release),
                    self.tick,
                ]
            )
        )
        action()
        self.check()

    def meanwhile(self) -> None:
        """Run a step while the store is at work; sometimes the store fails."""
        if self.is_inside or self.verdict:
            return
        self.is_inside = True
        failure = None
        try:
            for _ in range(self.draw(st.sampled_from((0, 0, 0, 0, 1, 3)))):
                self.step()
            if self.failures and self.draw(st.integers(0, 9)) == 0:
                self.failures -= 1
                failure = self.draw(st.sampled_from((StoreUnavailable("away"), ValueError("a"))))
        except BaseException as error:
            self.verdict = error
        finally:
            self.is_inside = False
        if failure is not None:
            raise failure

    def make(self) -> None:
        """Trades are made; their times nearly follow their ids."""
        for _ in range(self.draw(st.integers(1, 6))):
            self.now_ms += self.draw(st.integers(0, 20_000))
            number = FIRST_ID + len(self.made)
            early = self.draw(st.sampled_from((0, 0, 0, 0, 1500, 70_000, 200_000)))
            raw = -1 if self.draw(st.integers(0, 19)) == 0 else number * 10
            price = 0 if raw < 0 else self.draw(st.integers(1, 10**12))
            self.made.append(
                Trade(
                    number,
                    price,
                    0 if raw < 0 else self.draw(st.integers(1, 10**12)),
                    raw,
                    raw if raw < 0 else raw + number % 3,
                    max(START_MS, self.now_ms - early),
                    self.draw(st.booleans()),
                )
            )
            if self.feed.state.is_connected:
                self.wire.append(self.made[-1])
            else:
                self.missed.add(number)

    def deliver(self) -> None:
        """Some of what is on its way arrives, not always in order."""
        count = self.draw(st.integers(1, 8))
        batch, self.wire = self.wire[:count], self.wire[count:]
        if self.draw(st.integers(0, 3)) == 0:
            batch = self.draw(st.permutations(batch))
        self.feed.accept(batch, self.clock.now_ms())

    def lose(self) -> None:
        """A message is lost, and nobody can know before the next one."""
        if self.wire:
            self.wire.pop(self.draw(st.integers(0, len(self.wire) - 1)))

    def garble(self) -> None:
        """The next message arrives unreadable."""
        if self.wire:
            garbled = self.wire.pop(0).aggregate_id
            self.missed.add(garbled)
            known = garbled if self.draw(st.booleans()) else None
            self.feed.doubt(known, self.clock.now_ms())

    def repeat(self) -> None:
        """A message comes again, now or later."""
        if self.made and self.feed.state.is_connected:
            again = self.draw(st.sampled_from(self.made[-20:]))
            if again.aggregate_id not in self.gone:
                self.wire.insert(self.draw(st.integers(0, len(self.wire))), again)

    def cut(self) -> None:
        """The stream is cut, and what was on its way is lost."""
        if self.feed.state.is_connected:
            self.missed |= {t.aggregate_id for t in self.wire}
            self.wire.clear()
            self.feed.state.disconnect()

    def join(self) -> None:
        """The stream is there again."""
        if not self.feed.state.is_connected:
            self.feed.joined(self.clock.now_ms())

    def ask(self) -> None:
        """The exchange is asked for its newest trade; the answer takes its time."""
        there = [t for t in self.made if t.aggregate_id not in self.gone]
        newest = Edge(there[-1].aggregate_id, there[-1]) if there else None
        self.asked.append((newest, self.feed.asking(self.clock.now_ms())))

    def answer(self) -> None:
        """An answer arrives."""
        if self.asked:
            newest, asked = self.asked.pop(0)
            self.feed.verify(None, newest, asked, self.clock.now_ms())

    def refill(self) -> None:
        """The exchange is asked for the first ids of the oldest gap."""
        continuity = self.feed.continuity
        assert continuity is not None
        if not continuity.gaps:
            return
        gap = continuity.gaps[0]
        last = min(gap.to_id, gap.from_id + self.draw(st.integers(0, 10)))
        page = [t for t in self.made if gap.from_id <= t.aggregate_id <= last]
        there = [t for t in page if t.aggregate_id not in self.gone]
        self.feed.accept(there, self.clock.now_ms(), refetched=True)
        for trade in page:
            if trade.aggregate_id in self.gone:
                continuity.confirm(Gap(trade.aggregate_id, trade.aggregate_id))

    def remove(self) -> None:
        """The exchange loses trades that did not come in yet."""
        high = self.feed.continuity.high_water if self.feed.continuity else 0
        new = [t.aggregate_id for t in self.made if t.aggregate_id > high]
        if len(new) > 1 and self.draw(st.integers(0, 2)) == 0:
            lost = self.draw(st.sampled_from(new[:-1]))
            self.gone.add(lost)
            self.missed.discard(lost)
            self.wire = [t for t in self.wire if t.aggregate_id != lost]

    def turn_up(self) -> None:
        """A trade that the exchange had lost comes over the stream after all."""
        if self.gone and self.feed.state.is_connected:
            number = self.draw(st.sampled_from(sorted(self.gone)))
            self.gone.remove(number)
            self.feed.accept([self.made[number - FIRST_ID]], self.clock.now_ms())

    def pass_time(self) -> None:
        """Nothing is traded for a while."""
        self.now_ms += self.draw(st.integers(0, 400_000))

    def watch(self) -> None:
        """Somebody subscribes to a timeframe."""
        timeframe = self.draw(st.sampled_from(TIMEFRAMES))
        pair, repeats_open = Pair(self.feed.symbol, timeframe), self.draw(st.booleans())
        follower = self.view.follow(pair, repeats_open=repeats_open)
        self.consumers.append((follower, {}))
        self.tasks.add(asyncio.get_running_loop().create_task(follower.ready()))

    def release(self) -> None:
        """Somebody unsubscribes."""
        if self.consumers:
            number = self.draw(st.integers(0, len(self.consumers) - 1))
            follower, _ = self.consumers.pop(number)
            follower.close()

    def tick(self) -> None:
        """Some consumer takes what has changed; each candle has to be true."""
        if self.consumers:
            number = self.draw(st.integers(0, len(self.consumers) - 1))
            self.take(*self.consumers[number])

    def take(self, follower: Follower, given: dict[int, Row]) -> None:
        """A consumer takes what has changed."""
        timeframe = follower.pair.timeframe
        expected = self.expected(timeframe)
        for candle in follower.changes():
            assert row(candle) == expected.get(candle.candle_time), f"{timeframe}m was given"
            given[candle.candle_time] = row(candle)

    def check(self) -> None:
        """Check the invariants."""
        continuity = self.feed.continuity
        assert continuity is not None
        if self.is_complete:
            assert not continuity.gaps
            assert not [n for n in self.missed if n > continuity.high_water]

    # What waits ----------------------------------------------------------------------------------

    async def cycle(self) -> None:
        """The store takes over what waits."""
        await self.settler.cycle()
        self.check()

    async def history(self) -> None:
        """Somebody reads the history of a timeframe, watched or not."""
        timeframe = self.draw(st.sampled_from(TIMEFRAMES))
        candles = await self.view.newest(Pair(self.feed.symbol, timeframe), 1000)
        if self.is_complete:
            expected = list(self.expected(timeframe).values())
            assert [row(candle) for candle in candles] == expected[-1000:]

    async def settle_down(self) -> None:
        """The exchange behaves again, and all that was made comes in."""
        self.store.meanwhile = lambda: None
        await self.finish_tasks()
        self.join()
        self.feed.accept(self.wire, self.clock.now_ms())
        self.wire.clear()
        self.asked.clear()
        self.ask()
        self.answer()
        assert self.feed.continuity is not None
        for _ in range(10_000):
            if not self.feed.continuity.gaps:
                break
            self.refill()
        self.now_ms += 120_000
        for _ in range(3):
            await self.cycle()
        self.missed.clear()
        assert self.is_complete

    async def finish_tasks(self) -> None:
        """Let every subscription get ready."""
        while self.tasks:
            await self.tasks.pop()

    def compare(self) -> None:
        """All that was given and all that is stored is what the trades come to."""
        symbol, watermark = self.feed.symbol, self.feed.live.watermark
        for follower, given in self.consumers:
            self.take(follower, given)
            timeframe = follower.pair.timeframe
            expected = self.expected(timeframe)
            for time, last in given.items():
                assert last == expected[time], f"{timeframe}m {time}: the last word was wrong"
        assert self.store.trades.since(symbol, 0) == self.known()
        self._compare_stored(symbol, watermark, TIMEFRAMES)
        assert [d for d in self.store.audit.run([symbol], repair=False) if d.what != "ids"] == []

    def _compare_stored(self, symbol: str, watermark: int, timeframes: Sequence[int]) -> None:
        for timeframe in timeframes:
            width = timeframe * 60_000
            expected = [
                item
                for item in self.expected(timeframe).values()
                if int(item["candle_time"]) + width <= watermark
            ]
            found = self.store.candles.read(symbol, timeframe, watermark, len(expected) + 5)
            assert [row(c) for c in found] == expected
