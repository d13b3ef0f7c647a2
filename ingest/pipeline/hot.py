"""The hot tier: rows from blocks in memory, and from the store what is not there.

A block that is not there is read once, however many wait for it. All rows of an answer are of one
moment: where a change comes between, they are read anew in one statement.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, cast

from ingest.core.blocks import Block, Blocks, Reading, Series
from ingest.core.candle import Candle
from ingest.core.rows import Rows
from ingest.core.timeframe import MINUTE_MS, width_ms
from ingest.core.trade import Trade
from ingest.storage import AsyncStore, Form, Selection, candles_of, trades_of

from .pair import Pair

CANDLES_OF_A_BLOCK = 128
TRADES_OF_A_BLOCK = 512
FOREVER = 2**63 - 1

Read = Callable[[int, int], Awaitable[Rows]]
"""Reads the rows with keys from the first to the second, exclusive, in one statement."""


class _Flight(NamedTuple):
    """A read of some blocks that is under way."""

    task: asyncio.Task[Sequence[Rows]]
    reading: Reading
    first: int
    """The number of its first block."""

    def gives(self, until: int) -> bool:
        """Whether its rows reach up to a key and have not changed."""
        return self.reading.until >= until and not self.reading.is_void


class _Candles(NamedTuple):
    """The rows that a series of candles has, and their form."""

    timeframe: int
    whole_from_ms: int
    form: Form[Candle]


class Hot:
    """Reads rows of one store."""

    def __init__(self, store: AsyncStore) -> None:
        self._store = store
        self._blocks: Blocks = store.blocks
        self._flights: dict[tuple[Series, int], _Flight] = {}

    async def candles(
        self, pair: Pair, start: int, end: int, whole_from_ms: int, form: Form[Candle]
    ) -> Sequence[Rows]:
        """The candles of the buckets in [start, end), all of them closed, as `Pages.candle_rows`.

        Raises StoreUnavailable.
        """
        symbol, timeframe = pair

        async def read(start: int, end: int) -> Rows:
            return await self._store.pages.candle_rows(
                symbol, timeframe, start, end, form, whole_from_ms
            )

        series = Series(candles_of(symbol), _Candles(timeframe, whole_from_ms, form))
        return await self._rows(series, start, end, CANDLES_OF_A_BLOCK * width_ms(timeframe), read)

    async def first_minute(self, symbol: str, since: int) -> int | None:
        """The start of the first minute kept of a symbol from a time on; None when it has none.

        Raises StoreUnavailable.
        """
        series = Series(candles_of(symbol), ("first minute", since))
        known = self._blocks.get(series, 0, 0)
        if known is None:
            with self._blocks.reading(series.subject, FOREVER) as reading:
                found = await self._store.candles.first_minute(symbol, since)
                rows = Rows() if found is None else Rows([found], [b""])
                # An earlier one may come, and this one may go.
                known = Block(rows, FOREVER if found is None else found + MINUTE_MS)
                self._blocks.keep(reading, series, 0, known)
        return known.rows.keys[0] if len(known.rows) else None

    def add_trades(self, symbol: str, trades: Sequence[Trade]) -> None:
        """Trades of a symbol were stored."""
        since, span = trades[0].aggregate_id, TRADES_OF_A_BLOCK
        number = since // span
        for series in self._blocks.series(trades_of(symbol)):
            if not self._blocks.ends_at(series, number, since):
                continue
            part = trades[: (number + 1) * span - since]
            ids = [trade.aggregate_id for trade in part]
            if ids == list(range(since, since + len(part))):
                form = cast("Form[Trade]", series.form)
                rows = form.written((t.aggregate_id, t) for t in part if not t.is_tombstone)
                self._blocks.extend(series, number, rows, since, since + len(part))

    async def trades(
        self, symbol: str, first_id: int, end_id: int, form: Form[Trade]
    ) -> Sequence[Rows]:
        """The trades with ids in [first_id, end_id). Raises StoreUnavailable."""

        async def read(first_id: int, end_id: int) -> Rows:
            wanted = Selection(symbol, from_id=first_id, to_id=end_id - 1)
            return await self._store.trades.page(wanted, end_id - first_id, form)

        series = Series(trades_of(symbol), form)
        return await self._rows(series, first_id, end_id, TRADES_OF_A_BLOCK, read)

    async def _rows(
        self, series: Series, start: int, end: int, span: int, read: Read
    ) -> Sequence[Rows]:
        """The rows with keys in [start, end), of blocks that span so many keys."""
        if start >= end:
            return []
        with self._blocks.reading(series.subject, end) as reading:
            if not reading.is_void:
                numbers = range(start // span, (end - 1) // span + 1)
                found = [
                    self._blocks.get(series, number, min((number + 1) * span, end))
                    for number in numbers
                ]
                missing = [n for n, block in zip(numbers, found, strict=True) if block is None]
                flights = self._flights_for(series, missing, end, span, read)
                fetched = {
                    number: (await asyncio.shield(flight.task))[number - flight.first]
                    for number, flight in flights.items()
                }
                if not reading.is_void:
                    return [
                        (fetched[number] if block is None else block.rows).between(start, end)
                        for number, block in zip(numbers, found, strict=True)
                    ]
        return [await read(start, end)]

    def _flights_for(
        self, series: Series, numbers: Sequence[int], end: int, span: int, read: Read
    ) -> dict[int, _Flight]:
        """The reads that give these blocks up to a key, those under way among them."""
        flights: dict[int, _Flight] = {}
        run: list[int] = []
        for number in numbers:
            under_way = self._flights.get((series, number))
            if under_way is not None and under_way.gives(min((number + 1) * span, end)):
                flights[number] = under_way
                continue
            if run and run[-1] != number - 1:
                flights |= self._depart(series, run, end, span, read)
                run = []
            run.append(number)
        return flights | self._depart(series, run, end, span, read)

    def _depart(
        self, series: Series, numbers: Sequence[int], end: int, span: int, read: Read
    ) -> dict[int, _Flight]:
        """Start to read neighbouring blocks, for all that will ask for them."""
        if not numbers:
            return {}
        until = min((numbers[-1] + 1) * span, end)
        reading = self._blocks.begin_reading(series.subject, until)
        task = asyncio.create_task(self._read(reading, series, numbers, span, read))
        flight = _Flight(task, reading, numbers[0])
        flights = dict.fromkeys(numbers, flight)

        def land(_: object) -> None:
            self._blocks.end_reading(reading)
            for number in numbers:
                if self._flights.get((series, number)) is flight:
                    del self._flights[series, number]
            if not task.cancelled():
                task.exception()  # those who wait have it

        task.add_done_callback(land)
        self._flights.update(((series, number), flight) for number in numbers)
        return flights

    async def _read(
        self, reading: Reading, series: Series, numbers: Sequence[int], span: int, read: Read
    ) -> Sequence[Rows]:
        """Read neighbouring blocks, and keep them. What is kept of the first one is not read."""
        known = self._blocks.part(series, numbers[0])
        start = numbers[0] * span if known is None else known.until
        rows = await read(start, reading.until) if start < reading.until else Rows()
        if known is not None:
            rows = known.rows + rows
        blocks = [rows.between(number * span, (number + 1) * span) for number in numbers]
        for number, part in zip(numbers, blocks, strict=True):
            block = Block(part, min((number + 1) * span, reading.until))
            self._blocks.keep(reading, series, number, block)
        return blocks
