"""The store: one database, opened, its tables made, and its parts at hand."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, ParamSpec, Self, TypeVar

from ..core.blocks import Blocks
from ..core.errors import StoreUnavailable
from . import schema, upgrade
from .audit import Audit
from .begins import Begins
from .buckets import Buckets
from .candles import Candles
from .choices import Choices
from .comparison import Comparison
from .connection import Connection
from .engine import clear_refusal
from .exports import Exports
from .gaps import Gaps
from .held import Held
from .jobs import JobNotes
from .moved import Moved
from .pages import Pages
from .progress import Progress
from .quarantine import Quarantine
from .retention import Retention
from .statistics import Statistics, statistics
from .timeframes import Timeframes
from .torn import Torn, TornPart
from .trades import Trades

P = ParamSpec("P")
T = TypeVar("T")

BeforeUpgrade = Callable[[Connection, int], object]
"""Takes the connection to a database of an earlier version, and that version."""

HOT_BYTES = 64_000_000

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """The classes of a store's parts; those of another kind of store make other statements."""

    progress: type[Progress] = Progress
    torn: type[Torn] = Torn
    retention: type[Retention] = Retention
    buckets: type[Buckets] = Buckets
    timeframes: type[Timeframes] = Timeframes
    candles: type[Candles] = Candles
    held: type[Held] = Held
    moved: type[Moved] = Moved
    trades: type[Trades] = Trades
    pages: type[Pages] = Pages
    gaps: type[Gaps] = Gaps
    choices: type[Choices] = Choices
    jobs: type[JobNotes] = JobNotes
    begins: type[Begins] = Begins
    quarantine: type[Quarantine] = Quarantine
    comparison: type[Comparison] = Comparison


class Store:
    """Trades and candles in one database, of which this is the only writer.

    Calls block and may come from any thread; `run` awaits one of them in a thread:
    `await store.run(store.trades.insert, batch)`. After StoreUnavailable any call may be made
    again with the same arguments: nothing is stored twice. Times are in milliseconds, prices and
    volumes in units of 1e-8, quote volumes in units of 1e-16.
    """

    parts: ClassVar[Parts] = Parts()

    def __init__(
        self,
        dsn: str,
        cluster: str = "",
        hot_bytes: int = HOT_BYTES,
        *,
        before_upgrade: BeforeUpgrade = lambda *_: None,
    ) -> None:
        """Open the database of the DSN: chdb:///path, http://... or https://...

        With the name of a cluster the tables are spread over it (see `layout`). Blocks of rows in
        memory take at most `hot_bytes`. A database of an earlier version is brought up to date;
        `before_upgrade` is called first, and keeps it as it is by raising.

        Raises StoreInUse, StoreUnavailable or SettingError.
        """
        self._start(Connection(dsn, cluster), hot_bytes, before_upgrade)

    def _start(
        self,
        connection: Connection,
        hot_bytes: int = HOT_BYTES,
        before_upgrade: BeforeUpgrade = lambda *_: None,
    ) -> None:
        """Take over a connection: make the tables, and read what an earlier run has noted."""
        self.connection = connection
        self._before_upgrade = before_upgrade
        self.blocks = Blocks(hot_bytes)
        """Rows that were read and have not changed since."""
        self._was_reopened = False
        self.torn_parts: list[TornPart] = []
        """Parts of tables that were found broken, at the start or since."""
        self.on_torn: Callable[[list[TornPart]], object] = lambda _: None
        """Called, in any thread, with parts that were found broken since the start."""
        try:
            with clear_refusal():
                self.connection.retrying(self._open)
        except BaseException:
            self.connection.close()
            raise
        self.connection.on_reopened = self._note_torn_parts

    def _open(self) -> None:
        version = self._create_tables()
        parts, connection = self.parts, self.connection
        self.progress = parts.progress(connection)
        self._torn = parts.torn(connection, self.progress)
        found = self._torn.find()
        self.torn_parts += found
        self._torn.note(found)
        self.retention = parts.retention(connection, self.blocks)
        buckets = parts.buckets(connection)
        timeframes = parts.timeframes(connection, buckets, self.progress, self.retention)
        self.candles = parts.candles(
            buckets, self.progress, self.retention, timeframes, self.blocks
        )
        held = parts.held(connection, self.retention)
        moved = parts.moved(connection, self.candles, held)
        self.trades = parts.trades(
            connection, self.progress, self.retention, held, moved, self.blocks
        )
        self.pages = parts.pages(connection, self.trades, self.candles)
        self.exports = Exports(connection, self.pages)
        self.gaps = parts.gaps(connection)
        self.choices = parts.choices(connection)
        self.jobs = parts.jobs(connection)
        self.begins = parts.begins(connection)
        self.quarantine = parts.quarantine(connection)
        self.audit = Audit(
            connection,
            self.trades,
            moved,
            self.candles,
            self.gaps,
            self.progress,
            self.retention,
            parts.comparison(connection),
        )
        if version < schema.VERSION:
            upgrade.recompute(connection, self.candles, self.retention, version)
            schema.note_version(connection)

    def _create_tables(self) -> int:
        """Create the tables and columns that are missing; returns the version of the others."""
        version = schema.create(self.connection)
        if 0 < version < schema.VERSION:
            self._before_upgrade(self.connection, version)
        upgrade.add_columns(self.connection, version)
        return version

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do a blocking call of this store in one of its own threads."""
        return await self.connection.run(partial(self._look_first, partial(call, *args, **kwargs)))

    def _look_first(self, call: Callable[[], T]) -> T:
        if self._was_reopened:
            self._note_torn_parts()
        return call()

    def _note_torn_parts(self) -> None:
        """Look for parts that were set aside; where that fails, again before the next call."""
        self._was_reopened = True
        self.blocks.clear()
        found = self._torn.find()
        self._was_reopened = False
        if found:
            self.torn_parts = [*self.torn_parts, *found]
            self.on_torn(found)
            self._torn.note(found)

    def statistics(self) -> Statistics:
        """The database's version and size."""
        return statistics(self.connection)

    def close(self) -> None:
        """Let running calls end, then close the database. Closing twice does nothing."""
        if self.connection.closed:
            return
        try:
            self.progress.flush()
        except StoreUnavailable as error:
            log.warning("The store is closed while it does not answer: %s", error)
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
