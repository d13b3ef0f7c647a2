"""The store: one database, opened, its tables made, and its parts at hand."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ParamSpec, Self, TypeVar

from ..core.errors import StoreUnavailable
from . import schema
from .audit import Audit
from .candles import Candles
from .connection import Connection
from .engine import clear_refusal
from .gaps import Gaps
from .held import Held
from .moved import Moved
from .pages import Pages
from .progress import Progress
from .quarantine import Quarantine
from .retention import Retention
from .statistics import Statistics, statistics
from .torn import TornPart, find_torn_parts
from .trades import Trades

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)


class Store:
    """Trades and candles in one database, of which this is the only writer.

    Calls block and may come from any thread; `run` awaits one of them in a thread:
    `await store.run(store.trades.insert, batch)`. After StoreUnavailable any call may be made
    again with the same arguments: nothing is stored twice. Times are in milliseconds, prices and
    volumes in units of 1e-8, quote volumes in units of 1e-16.
    """

    def __init__(self, dsn: str, cluster: str = "") -> None:
        """Open the database of the DSN: chdb:///path, http://... or https://...

        With the name of a cluster the tables are spread over it (see `layout`).

        Raises StoreInUse, StoreUnavailable or SettingError.
        """
        self.connection = Connection(dsn, cluster)
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
        schema.create(self.connection)
        self.progress = Progress(self.connection)
        self.torn_parts += find_torn_parts(self.connection, self.progress)
        self.retention = Retention(self.connection)
        self.candles = Candles(self.connection, self.progress, self.retention)
        held = Held(self.connection, self.retention)
        moved = Moved(self.connection, self.candles)
        self.trades = Trades(self.connection, self.progress, self.retention, held, moved)
        self.pages = Pages(self.connection, self.trades, self.candles)
        self.gaps = Gaps(self.connection)
        self.quarantine = Quarantine(self.connection)
        self.audit = Audit(
            self.connection,
            self.trades,
            moved,
            self.candles,
            self.gaps,
            self.progress,
            self.retention,
        )

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do a blocking call of this store in one of its own threads."""
        return await self.connection.run(call, *args, **kwargs)

    def _note_torn_parts(self) -> None:
        found = find_torn_parts(self.connection, self.progress)
        if found:
            self.torn_parts = [*self.torn_parts, *found]
            self.on_torn(found)

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
