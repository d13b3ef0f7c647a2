"""The store as async code calls it: `await store.trades.insert(batch)`.

Each call runs the blocking method of the same name in one of the store's threads, with the same
arguments and errors.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast

from .begins import Begins
from .candles import Candles
from .choices import Choices
from .exports import Exports
from .gaps import Gaps
from .jobs import JobNotes
from .pages import CandlePage, Pages
from .quarantine import Quarantine
from .retention import Line, Retention
from .store import Store
from .tables import Table
from .trades import Selection, Trades

S = TypeVar("S")
P = ParamSpec("P")
T = TypeVar("T")


class _Calls(Generic[S]):
    """The calls of one part of a store."""

    def __init__(self, part: S, store: Store) -> None:
        self.part = part
        self.store = store


class _Threaded(Generic[S, P, T]):
    """A blocking method of a part as a call that is awaited."""

    def __init__(self, method: Callable[Concatenate[S, P], T]) -> None:
        self._name = method.__name__

    def __get__(
        self, calls: _Calls[S], owner: type[_Calls[S]]
    ) -> Callable[P, Coroutine[Any, Any, T]]:
        method = cast("Callable[P, T]", getattr(calls.part, self._name))
        return partial(calls.store.run, method)


class TradeCalls(_Calls[Trades]):
    """See `Trades`."""

    insert = _Threaded(Trades.insert)
    insert_lines = _Threaded(Trades.insert_lines)
    remove_from = _Threaded(Trades.remove_from)
    missing = _Threaded(Trades.missing)
    id_range = _Threaded(Trades.id_range)
    high_water = _Threaded(Trades.high_water)
    since = _Threaded(Trades.since)
    seconds = _Threaded(Trades.seconds)
    time_of = _Threaded(Trades.time_of)
    newest_time_from = _Threaded(Trades.newest_time_from)
    folded = _Threaded(Trades.folded)
    tombstones = _Threaded(Trades.tombstones)
    page = _Threaded(Trades.page)
    last_id_of_page = _Threaded(Trades.last_id_of_page)
    latest = _Threaded(Trades.latest)
    latest_selection = _Threaded(Trades.latest_selection)

    @property
    def symbols(self) -> frozenset[str]:
        """The symbols of which trades were stored."""
        return self.part.symbols

    async def bounds(self, symbol: str) -> range:
        """Ids among which are all that are stored and kept."""
        if self.part.knows_bounds(symbol):
            return self.part.bounds(symbol)
        return await self.store.run(self.part.bounds, symbol)


class CandleCalls(_Calls[Candles]):
    """See `Candles`."""

    unsettled = _Threaded(Candles.unsettled)
    hold = _Threaded(Candles.hold)
    held = _Threaded(Candles.held)
    release = _Threaded(Candles.release)
    recompute = _Threaded(Candles.recompute)
    close = _Threaded(Candles.close)
    read = _Threaded(Candles.read)
    bases = _Threaded(Candles.bases)
    totals = _Threaded(Candles.totals)
    newest_traded = _Threaded(Candles.newest_traded)
    first_minute = _Threaded(Candles.first_minute)
    watermark = _Threaded(Candles.watermark)
    materialize = _Threaded(Candles.materialize)
    drop = _Threaded(Candles.drop)
    delete_dropped = _Threaded(Candles.delete_dropped)
    add_levels = _Threaded(Candles.add_levels)
    views = _Threaded(Candles.views)

    @property
    def pairs(self) -> frozenset[tuple[str, int]]:
        """The (symbol, timeframe) pairs that are materialized."""
        return self.part.pairs

    @property
    def dropped(self) -> frozenset[tuple[str, int]]:
        """The pairs that are materialized no longer, but still have rows."""
        return self.part.dropped


class PageCalls(_Calls[Pages]):
    """See `Pages`."""

    candle_rows = _Threaded(Pages.candle_rows)

    async def candles_table(self, page: CandlePage, table: Table) -> AsyncIterator[bytes]:
        """The candles of a page as a table; what fails does so before this returns."""
        return await self.part.candles_table(page, table)

    async def trades_table(self, selection: Selection, table: Table) -> AsyncIterator[bytes]:
        """All trades of a selection as a table; what fails does so before this returns."""
        return await self.part.trades_table(selection, table)


class ExportCalls(_Calls[Exports]):
    """See `Exports`."""

    digest = _Threaded(Exports.digest)
    write = _Threaded(Exports.write)


class GapCalls(_Calls[Gaps]):
    """See `Gaps`."""

    confirm = _Threaded(Gaps.confirm)
    confirmed = _Threaded(Gaps.confirmed)


class ChoiceCalls(_Calls[Choices]):
    """See `Choices`."""

    note = _Threaded(Choices.note)
    all = _Threaded(Choices.all)


class JobCalls(_Calls[JobNotes]):
    """See `JobNotes`."""

    note = _Threaded(JobNotes.note)
    all = _Threaded(JobNotes.all)
    add_lines = _Threaded(JobNotes.add_lines)
    lines = _Threaded(JobNotes.lines)
    cut = _Threaded(JobNotes.cut)
    forget = _Threaded(JobNotes.forget)


class BeginCalls(_Calls[Begins]):
    """See `Begins`."""

    note = _Threaded(Begins.note)

    def of(self, symbol: str) -> int | None:
        """The id from which on a server has a symbol, where that is noted."""
        return self.part.of(symbol)


class QuarantineCalls(_Calls[Quarantine]):
    """See `Quarantine`."""

    keep = _Threaded(Quarantine.keep)


class RetentionCalls(_Calls[Retention]):
    """See `Retention`."""

    expire = _Threaded(Retention.expire)

    def line(self, symbol: str) -> Line:
        """The data of a symbol that is kept."""
        return self.part.line(symbol)


class AsyncStore(_Calls[Store]):
    """A store whose calls are awaited. Each may raise StoreUnavailable, and be repeated."""

    statistics = _Threaded(Store.statistics)

    def __init__(self, store: Store) -> None:
        super().__init__(store, store)
        self.trades = TradeCalls(store.trades, store)
        self.candles = CandleCalls(store.candles, store)
        self.pages = PageCalls(store.pages, store)
        self.exports = ExportCalls(store.exports, store)
        self.gaps = GapCalls(store.gaps, store)
        self.choices = ChoiceCalls(store.choices, store)
        self.jobs = JobCalls(store.jobs, store)
        self.begins = BeginCalls(store.begins, store)
        self.quarantine = QuarantineCalls(store.quarantine, store)
        self.blocks = store.blocks
        self.retention = RetentionCalls(store.retention, store)
