"""The hot tier shows what the store has, whatever changes and whenever it is read.

Changes run in a thread and pause before their statements, where rows are read. A read is compared
with the store's own answer of the same moment; slow ones begin before a change, or in the middle of
it, and end later. `HOT_STEPS=100000 HOT_SEED=1` makes a long run.
"""

from __future__ import annotations

import asyncio
import os
import queue
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import ContextVar
from typing import TypeVar

import pytest

from handlers.native.forms import CANDLES, TRADES
from ingest.core.errors import StoreUnavailable
from ingest.core.keep import DAY_MS
from ingest.core.rows import Rows
from ingest.core.timeframe import bucket_start, first_bucket, width_ms
from ingest.pipeline import hot
from ingest.pipeline.hot import Hot
from ingest.pipeline.pair import Pair
from ingest.pipeline.stored import Stored
from ingest.storage import AsyncStore, Selection, Store

from .model import ModelStore
from .twins import EDGE_MS, TIMEFRAMES, Still, Twins

T = TypeVar("T")

STEPS = int(os.environ.get("HOT_STEPS", "800"))
SEED = int(os.environ.get("HOT_SEED", "0")) or random.randrange(2**32)
STEPS_OF_A_WORLD = 100
BUDGETS = (0, 4_000, 20_000, 10**7)
PAUSED = ("insert trades", "write", "delete", "expire")

_is_slow: ContextVar[bool] = ContextVar("is_slow", default=False)
"""Whether a read begins and ends some pauses of a change later."""


class Paused(Still):
    """Weather in which a change waits before its statements, and slow reads wait for it."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self._rng = rng
        self._pauses: queue.SimpleQueue[threading.Event | None] = queue.SimpleQueue()
        """None is the end of a change."""
        self._reader = threading.current_thread()
        self._turn = asyncio.Event()

    def statement(self, kind: str) -> None:
        """Wait for the reads that come between, in the thread of a change."""
        if threading.current_thread() is not self._reader and kind.startswith(PAUSED):
            going = threading.Event()
            self._pauses.put(going)
            assert going.wait(10)

    def pauses(self, change: Callable[[], None]) -> Iterator[None]:
        """Each pause of a change. Nothing else runs while it goes on."""

        def run() -> None:
            try:
                change()
            finally:
                self._pauses.put(None)

        with ThreadPoolExecutor(1) as thread:
            changing = thread.submit(run)
            while pause := self._pauses.get():
                yield
                pause.set()
            changing.result()

    def turn(self) -> None:
        """Let slow reads go on."""
        turn, self._turn = self._turn, asyncio.Event()
        turn.set()

    async def before(self) -> None:
        """Let a change go on before a slow read."""
        await self._linger()

    async def after(self) -> None:
        """Let a change go on before its answer comes."""
        await self._linger()

    async def _linger(self) -> None:
        for _ in range(self._rng.choice((0, 1, 2)) if _is_slow.get() else 0):
            await self._turn.wait()


class Alone(Twins):
    """One modelled store, its steps drawn at random, and a hot tier over it."""

    weather: Paused

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._calm = Paused(rng)
        self.compared = 0
        self.is_sound = True
        """Whether all candles can be made of the trades."""
        self.moments: dict[int, Callable[[], None]] = {}
        super().__init__(None, lambda _: rng.randrange(3))  # type: ignore[arg-type]

    def open(self) -> None:
        """Start a process."""
        self.weather = self._calm
        self.model = ModelStore(self.disk, self.weather)
        self.model.blocks.budget_bytes = self.one(*BUDGETS)
        calls = AsyncStore(self.model)
        self.hot = Hot(calls)
        self.stored = Stored(calls, self.hot)

    def both(self, call: Callable[[Store], T]) -> T:
        """Do it to the store."""
        return call(self.model)

    def one(self, *choices: T) -> T:
        """One of some choices."""
        return self._rng.choice(choices)

    def number(self, least: int, most: int) -> int:
        """A whole number between these."""
        return self._rng.randint(least, most)

    # Steps ---------------------------------------------------------------------------------------

    def expire(self) -> None:
        """Old data is kept no longer."""
        symbol = self.symbol()
        trades, candles = (self.time(symbol) // DAY_MS * DAY_MS for _ in range(2))
        trades *= self.number(0, 4) == 0
        self.is_sound = self.is_sound and not trades
        self.model.retention.expire(symbol, trades, candles, trades, self.id(symbol))

    def lose(self) -> None:
        """A part of a table turns out to be broken: the first call fails and finds out why."""
        table = self.one("trades", "minutes", "candles")
        if self.disk.damage(table):
            self.is_sound = self.is_sound and table != "trades"
            for _ in range(2):
                with suppress(StoreUnavailable):
                    self.model.candles.first_minute(self.symbol())

    def add(self) -> None:
        """Stored trades are given to the tier, as the settler does it."""
        for symbol in self.symbols:
            trades = self.model.trades.since(symbol, 0)
            at = self.number(0, len(trades))
            if trades[at:]:
                self.hot.add_trades(symbol, trades[at : at + self.one(1, 7, 40)])

    def restart(self) -> None:
        """The process ends, in order or not, and another one starts."""
        self.one(self.model.close, self.model.kill)()
        self.open()

    async def change(self, step: Callable[[], None]) -> None:
        """Do a step in a thread, with reads in between, and slow ones under way."""
        reads = [asyncio.create_task(self.read_slowly()) for _ in range(self.number(0, 2))]
        await asyncio.sleep(0)
        if self.number(0, 49) == 0:
            self.lose()
            self.note()
        for _ in self.weather.pauses(step):
            if self.number(0, 1):
                reads.append(asyncio.create_task(self.read_slowly()))
            self.note()
            self.weather.turn()
            await self.check(self.number(0, 2))
        self.note()
        self.weather.turn()
        await self.check(3)
        await self.finish(asyncio.gather(*reads))
        await self.check(1)

    # Reads ---------------------------------------------------------------------------------------

    async def read_slowly(self) -> None:
        """Read rows, whatever they are by now."""
        _is_slow.set(True)
        symbol, timeframe = self.symbol(), self.one(*TIMEFRAMES)
        end = bucket_start(self.minute(symbol), timeframe)
        start = max(0, end - 300 * width_ms(timeframe))
        await self.hot.candles(Pair(symbol, timeframe), start, end, 0, CANDLES)
        await self.stored.trades(Selection(symbol), 50, TRADES)
        ids = sorted((self.id(symbol), self.id(symbol)))
        if ids[0] < ids[1]:
            wanted = Selection(symbol, from_id=ids[0], to_id=ids[1] - 1)
            moments: list[Rows] = []
            self.moments[id(moments)] = lambda: moments.append(
                self.model.trades.page(wanted, 10_000, TRADES)
            )
            self.note()
            found = _sum(await self.hot.trades(symbol, ids[0], ids[1], TRADES))
            assert found in moments, "the rows are of one moment"
            del self.moments[id(moments)]

    def note(self) -> None:
        """Note what is stored at this moment, for the slow reads that are under way."""
        for note in self.moments.values():
            note()

    async def check(self, count: int) -> None:
        """Some rows of the tier and of the store are the same."""
        for _ in range(count):
            checking = self.one(self.compare_candles, self.compare_trades)()
            await self.finish(asyncio.ensure_future(checking))

    async def finish(self, reading: asyncio.Future[T]) -> None:
        """Wait for reads, and the slow ones that they wait for."""
        while not reading.done():
            self.weather.turn()
            await asyncio.sleep(0)
        await reading

    async def compare_candles(self) -> None:
        """Candles of the tier and of the store are the same."""
        symbol, timeframe = self.symbol(), self.one(*TIMEFRAMES)
        width = width_ms(timeframe)
        end = bucket_start(self.minute(symbol), timeframe) + self.number(0, 3) * width
        start = max(0, end - self.one(1, 5, 40, 300) * width)
        whole_from = self.one(0, 0, 0, EDGE_MS)
        found = await self.hot.candles(Pair(symbol, timeframe), start, end, whole_from, CANDLES)
        expected = self.model.pages.candle_rows(symbol, timeframe, start, end, CANDLES, whole_from)
        if self.is_settled(symbol, end):
            self.compared += 1
            assert _sum(found) == expected
        since = first_bucket(whole_from, timeframe)
        first = await self.hot.first_minute(symbol, since)
        assert first == self.model.candles.first_minute(symbol, since)

    def is_settled(self, symbol: str, end: int) -> bool:
        """Whether candles before a time are those of the trades.

        Else they depend on the span that is read, for minutes and wider buckets may differ.
        """
        return self.is_sound and not self.model.candles.unsettled({symbol: end})

    async def compare_trades(self) -> None:
        """Pages of trades of the tier and of the store are the same."""
        symbol, limit = self.symbol(), self.one(1, 3, 50)
        wanted = Selection(symbol, from_id=self.one(None, self.id(symbol), 0))
        found, after = await self.stored.trades(wanted, limit, TRADES)
        if wanted.from_id is None:
            expected = self.model.trades.latest(symbol, limit, TRADES)
        else:
            expected = self.model.trades.page(wanted, limit, TRADES)
        self.compared += 1
        assert _sum(found) == expected
        is_full = wanted.from_id is not None and len(expected) == limit
        assert after == (expected.keys[-1] + 1 if is_full else None)


def _sum(parts: Sequence[Rows]) -> Rows:
    return sum(parts, Rows())


async def _world(rng: random.Random) -> int:
    """Let a store live for a while; returns how many answers could be compared."""
    alone = Alone(rng)
    steps = [
        *[alone.insert] * 8,
        *[alone.settle] * 5,
        *[alone.materialize, alone.materialize, alone.add_levels],
        *(alone.insert_lines, alone.recompute, alone.expire, alone.remove, alone.wait),
    ]
    for _ in range(STEPS_OF_A_WORLD):
        if rng.random() < 0.02:
            alone.restart()
        await alone.change(rng.choice(steps))
        if rng.random() < 0.5:
            await alone.change(alone.settle)
        alone.add()
    blocks = alone.model.blocks
    assert blocks.usage.bytes == sum(block.rows.size for block in blocks._kept.values())
    assert blocks.usage.bytes <= blocks.budget_bytes
    assert not any([alone.hot._flights, blocks._readings, blocks._changes])
    return alone.compared


async def test_rows_are_those_of_the_store_whatever_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hot, "CANDLES_OF_A_BLOCK", 8)  # so that a read takes several
    monkeypatch.setattr(hot, "TRADES_OF_A_BLOCK", 16)
    print(f"HOT_SEED={SEED}")
    worlds = STEPS // STEPS_OF_A_WORLD
    compared = sum([await _world(random.Random(SEED + number)) for number in range(worlds)])
    assert compared > STEPS
